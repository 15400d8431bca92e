package main

import (
	"fmt"
	"net"
	"net/url"

	"github.com/Snider/go-p2p/supervisor"
)

// joinLine returns the line with the command by which another node joins the node at a URL. outbound returns the
// address from which this host reaches others, in place of an unspecified one; an invalid IP means that there is none.
func joinLine(bound, id string, outbound func() net.IP) string {
	u, err := url.Parse(bound)
	if err != nil {
		return ""
	}
	ip := net.ParseIP(u.Hostname())
	if ip.IsUnspecified() {
		if ip = outbound(); ip == nil {
			ip = net.IPv4(127, 0, 0, 1)
		}
		u.Host = net.JoinHostPort(ip.String(), u.Port())
	}
	by := "another node joins with"
	if ip.IsLoopback() {
		by = "another node on this host joins with"
	}
	address := u.String()
	if u.Scheme == "ws" && u.Path == supervisor.DefaultTransportConfig().WSPath {
		address = u.Host
	}
	return fmt.Sprintf("%s: node run --peer %s#%s", by, address, id)
}

// outboundAddress returns the source address of the default route, else an address of an interface that other hosts may
// reach, else nil. A UDP dial sends no packet.
func outboundAddress() net.IP {
	for _, to := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} {
		if conn, err := net.Dial("udp", to); err == nil {
			from, ok := conn.LocalAddr().(*net.UDPAddr)
			_ = conn.Close() // nothing was sent
			if ok && from.IP.IsGlobalUnicast() {
				return from.IP
			}
		}
	}
	all, _ := net.InterfaceAddrs()
	for _, one := range all {
		if network, ok := one.(*net.IPNet); ok && network.IP.IsGlobalUnicast() {
			return network.IP
		}
	}
	return nil
}
