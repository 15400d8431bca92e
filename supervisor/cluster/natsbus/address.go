package natsbus

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// ErrPublic means that an address would be reachable from the internet.
var ErrPublic = errors.New("it is a public or wildcard address")

const lookupWithin = 2 * time.Second

// shared is the address space of carriers and overlay networks, RFC 6598.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// public reports whether other networks than the own one can reach an address.
func public(a netip.Addr) bool {
	a = a.Unmap()
	inside := a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || shared.Contains(a)
	return a.IsUnspecified() || !inside
}

// listenAddress resolves an address to listen on. The errors are ErrPublic, unless allowed, and those of the name.
func listenAddress(address string, allowPublic bool, lookup lookupFunc) (netip.AddrPort, error) {
	host, port, err := splitAddress(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	ip := netip.IPv4Unspecified() // net.Listen also listens on IPv6 then
	if host != "" {
		ctx, cancel := context.WithTimeout(context.Background(), lookupWithin)
		defer cancel()
		found, err := resolve(ctx, host, lookup)
		if err != nil {
			return netip.AddrPort{}, err
		}
		ip = found[0]
	}
	if public(ip) && !allowPublic {
		return netip.AddrPort{}, ErrPublic
	}
	return netip.AddrPortFrom(ip, port), nil
}

// splitAddress returns the parts of host:port.
func splitAddress(text string) (host string, port uint16, err error) {
	host, portText, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, err
	}
	number, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%q is no port number", portText)
	}
	return host, uint16(number), nil
}

// lookupFunc returns the addresses of a name, as net.Resolver.LookupHost.
type lookupFunc func(ctx context.Context, host string) ([]string, error)

// resolve returns the addresses of a name or of a literal address, one at least.
func resolve(ctx context.Context, host string, lookup lookupFunc) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	texts, err := lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	var found []netip.Addr
	for _, text := range texts {
		if ip, err := netip.ParseAddr(text); err == nil {
			found = append(found, ip.Unmap())
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no address", host)
	}
	return found, nil
}

// ownAddresses returns the addresses at which this host reaches a listener.
func ownAddresses(listener netip.AddrPort) map[netip.AddrPort]bool {
	own := map[netip.AddrPort]bool{listener: true}
	if !listener.Addr().IsUnspecified() {
		return own
	}
	addresses, _ := net.InterfaceAddrs() // without them the server recognises itself at its first connection
	for _, address := range addresses {
		if prefix, err := netip.ParsePrefix(address.String()); err == nil {
			own[netip.AddrPortFrom(prefix.Addr().Unmap(), listener.Port())] = true
		}
	}
	return own
}

// advertised returns the address at which other NATS servers are told to reach a listener.
func advertised(listener netip.AddrPort) string {
	if !listener.Addr().IsUnspecified() {
		return listener.String()
	}
	found := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), listener.Port())
	for address := range ownAddresses(listener) {
		if a := address.Addr(); a.Is4() && !a.IsLoopback() && !a.IsUnspecified() &&
			(found.Addr().IsLoopback() || a.Less(found.Addr())) {
			found = address
		}
	}
	return found.String()
}

// groupOf returns the address group: an IPv4 address or an IPv6 /64.
func groupOf(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	group, _ := a.Prefix(bits) // the only error: the address is invalid, and so is the group
	return group
}

// serverName returns a unique name for a server. Other members read its address there.
func serverName(address netip.AddrPort, random []byte) string {
	return address.String() + "#" + hex.EncodeToString(random)
}

// memberAddress returns the address in the name of a server, and with the address seen if the server listens on all.
func memberAddress(name, seen string) (netip.AddrPort, bool) {
	text, _, _ := strings.Cut(name, "#")
	address, err := netip.ParseAddrPort(text)
	if err != nil || !address.Addr().IsUnspecified() {
		return address, err == nil
	}
	ip, err := netip.ParseAddr(seen)
	return netip.AddrPortFrom(ip.Unmap(), address.Port()), err == nil
}
