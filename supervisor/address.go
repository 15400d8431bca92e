package supervisor

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// ParseAddress returns the URL to dial for a peer address in one of the forms host:port, ws://host:port/path and
// wss://host:port/path. An address without a path gets path.
func ParseAddress(address, path string) (string, error) {
	fail := func(reason string) (string, error) {
		return "", fmt.Errorf("%q is not a peer address: %s; write host:port, ws://host:port or wss://host:port",
			address, reason)
	}
	text := address
	if !strings.Contains(text, "://") {
		text = "ws://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fail("it is not a URL")
	case u.Scheme != "ws" && u.Scheme != "wss":
		return fail("the scheme is not ws or wss")
	case u.Hostname() == "":
		return fail("the host is missing")
	case strings.Contains(u.Hostname(), ":") && !strings.HasPrefix(u.Host, "["):
		return fail("an IPv6 address needs brackets")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fail("only host, port and path are allowed")
	}
	port := u.Port()
	if port == "" && strings.Contains(address, "://") {
		port = map[string]string{"ws": "80", "wss": "443"}[u.Scheme]
	}
	if n, err := net.LookupPort("tcp", port); port == "" || err != nil || n == 0 {
		return fail("the port is missing or not from 1 to 65535")
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	if u.Path == "" || u.Path == "/" {
		u.Path = path
	}
	return u.String(), nil
}

// listenNetwork returns the network for a listen address host:port: IPv4 only for an IPv4 literal, IPv6 only for an
// IPv6 literal, otherwise both.
func listenNetwork(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "tcp" // net.Listen reports the error
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return "tcp"
	case addr.Unmap().Is4():
		return "tcp4"
	default:
		return "tcp6"
	}
}

// addressGroup returns the group that the limit per address counts: an IPv4 address, or an IPv6 /64, which is commonly
// one host. Loopback addresses are not counted and return "".
func addressGroup(remote string) string {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote // an in-memory network
	}
	addr := at.Addr().Unmap()
	switch {
	case addr.IsLoopback():
		return ""
	case addr.Is4():
		return addr.String()
	default:
		prefix, err := addr.WithZone("").Prefix(64)
		if err != nil {
			return addr.String()
		}
		return prefix.String()
	}
}

// allowedOrigin checks the Origin header (protocol section 6): it must be absent, or its host must be this machine. The
// host of the request is not allowed either, because DNS rebinding could exploit that.
func allowedOrigin(origins []string) bool {
	if len(origins) == 0 {
		return true
	}
	if len(origins) > 1 {
		return false
	}
	u, err := url.Parse(origins[0])
	if err != nil {
		return false
	}
	switch strings.ToLower(u.Hostname()) {
	case "localhost", "127.0.0.1", "::1":
		return true
	}
	return false
}
