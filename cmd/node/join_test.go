package main

import (
	"net"
	"testing"
)

func TestJoinLineNamesAnAddressForOtherHosts(t *testing.T) {
	for _, c := range []struct {
		bound, outbound, want string
	}{
		{"ws://[::]:9091/ws", "10.0.0.7", "another node joins with: node run --peer 10.0.0.7:9091#ID"},
		{"ws://0.0.0.0:9091/ws", "10.0.0.7", "another node joins with: node run --peer 10.0.0.7:9091#ID"},
		{"ws://[::]:9091/ws", "2001:db8::7", "another node joins with: node run --peer [2001:db8::7]:9091#ID"},
		{"ws://[::]:9091/ws", "", "another node on this host joins with: node run --peer 127.0.0.1:9091#ID"},
		{"ws://192.0.2.5:1/ws", "10.0.0.7", "another node joins with: node run --peer 192.0.2.5:1#ID"},
		{"ws://127.0.0.1:1/ws", "10.0.0.7", "another node on this host joins with: node run --peer 127.0.0.1:1#ID"},
		{"wss://[::]:1/ws", "10.0.0.7", "another node joins with: node run --peer wss://10.0.0.7:1/ws#ID"},
		{"ws://[::]:1/p2p", "10.0.0.7", "another node joins with: node run --peer ws://10.0.0.7:1/p2p#ID"},
	} {
		got := joinLine(c.bound, "ID", func() net.IP { return net.ParseIP(c.outbound) })
		if got != c.want {
			t.Errorf("%s from %q: %s, want %s", c.bound, c.outbound, got, c.want)
		}
	}
}

func TestOutboundAddressIsNotLoopback(t *testing.T) {
	if ip := outboundAddress(); ip != nil && !ip.IsGlobalUnicast() {
		t.Errorf("%v", ip)
	}
}
