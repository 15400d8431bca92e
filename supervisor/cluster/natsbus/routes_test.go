package natsbus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A member that names one other member reaches all.
func TestMembersFindEachOther(t *testing.T) {
	w := newWorld(t)
	a := w.serve(w.options())
	b := w.serve(w.options(a.address))
	c := w.serve(w.options(b.address))
	for _, from := range []*member{a, b, c} {
		for _, to := range []*member{a, b, c} {
			awaitLink(t, from, to)
		}
	}
}

// After Serve the members that were named have a route: the first messages reach them. Serve may return without one
// only if it has waited for joinWithin.
func TestServeWaitsForTheNamedMembers(t *testing.T) {
	w := newWorld(t)
	a := w.serve(w.options())
	began := time.Now()
	b := w.serve(w.options(a.address))
	took := time.Since(began)
	if n := b.server.server.NumRoutes(); n != 1 && took < joinWithin {
		t.Errorf("%d routes after Serve has waited for %v, want 1", n, took)
	}
}

// A member without an answer at the start is reached later, and a route that ends is made again.
func TestRoutesReturn(t *testing.T) {
	w := newWorld(t)
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	a := w.serve(w.options(address))
	for range 2 {
		o := w.options()
		o.Listen = address
		b := w.serve(o)
		awaitLink(t, a, b)
		b.Close()
		await(t, "the end of the route", func() bool { return a.server.server.NumRoutes() == 0 })
	}
}

// All addresses of a name are tried, also those that it has later, and an address that it has no more stays while
// it has a route.
func TestAllAddressesOfANameAreTried(t *testing.T) {
	w := newWorld(t)
	port := freePort(t)
	var mu sync.Mutex
	var addresses []string
	set := func(list ...string) {
		mu.Lock()
		defer mu.Unlock()
		addresses = list
	}
	lookup := func(_ context.Context, host string) ([]string, error) {
		mu.Lock()
		defer mu.Unlock()
		if host != "members.example" || len(addresses) == 0 {
			return nil, errors.New("no such host")
		}
		return slices.Clone(addresses), nil
	}
	at := func(ip string) *member {
		o := w.options()
		o.Listen = fmt.Sprintf("%s:%d", ip, port)
		return w.serve(o)
	}
	b, c := at("127.0.0.2"), at("127.0.0.3")
	set("127.0.0.1", "127.0.0.2", "127.0.0.9", "127.0.0.3") // the own one, and one that does not answer
	o := w.options(fmt.Sprintf("members.example:%d", port))
	o.Listen, o.Lookup = fmt.Sprintf("127.0.0.1:%d", port), lookup
	a := w.serve(o)
	awaitLink(t, a, b)
	awaitLink(t, a, c)
	d := at("127.0.0.4")
	set("127.0.0.4")
	awaitLink(t, d, a)
	awaitLink(t, a, c)
	set() // the lookup fails: nothing changes
	awaitLink(t, a, d)
}

// Two members that could not reach each other when they heard of each other have a route after a while: the one
// between them names their addresses again.
func TestMembersAreNamedAgain(t *testing.T) {
	w := newWorld(t)
	a := w.serve(w.options())
	b := w.serve(w.options(a.address))
	c, err := netip.ParseAddrPort("127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	a.server.routes.hear([]byte("127.0.0.1:9\nno address\n" + a.address + "\n"))
	a.server.routes.update()
	if found := a.server.routes.configured(); !slices.Contains(found, c) {
		t.Errorf("a named address is not tried: %v", found)
	}
	text := string(b.server.routes.names())
	if !strings.Contains(text, a.address+"\n") || !strings.Contains(text, b.address) {
		t.Errorf("the names are %q", text)
	}
}

func TestPlanOfRoutes(t *testing.T) {
	at := func(list ...string) (found []netip.AddrPort) {
		for _, text := range list {
			found = append(found, netip.MustParseAddrPort(text))
		}
		return found
	}
	heard := map[netip.AddrPort]time.Time{}
	for _, a := range at("10.0.0.9:1", "10.0.0.2:1", "10.0.0.1:1") {
		heard[a] = time.Time{}
	}
	resolved := map[string][]netip.AddrPort{"x": at("10.0.0.4:1", "10.0.0.2:1"), "y": at("10.0.0.3:1"), "z": {}}
	own := map[netip.AddrPort]bool{at("10.0.0.1:1")[0]: true}
	want := at("10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1", "10.0.0.9:1")
	if got := plan(resolved, heard, own); !slices.Equal(got, want) {
		t.Errorf("plan: %v, want %v", got, want)
	}
	for i := range 2 * maxRoutes {
		heard[netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(i+2))] = time.Time{}
	}
	if got := plan(resolved, heard, own); len(got) != maxRoutes || got[0] != want[0] {
		t.Errorf("%d addresses from %v on", len(got), got[0])
	}
}

func TestAddressOfAServerName(t *testing.T) {
	for _, tt := range []struct{ name, seen, want string }{
		{"10.0.0.1:9093#0a", "192.168.0.1", "10.0.0.1:9093"},
		{"0.0.0.0:9093#0a", "192.168.0.1", "192.168.0.1:9093"},
		{"[::]:9093#0a", "fd00::1", "[fd00::1]:9093"},
		{"0.0.0.0:9093#0a", "", ""},
		{"other", "192.168.0.1", ""},
		{"", "", ""},
	} {
		got, ok := memberAddress(tt.name, tt.seen)
		if ok != (tt.want != "") || ok && got.String() != tt.want {
			t.Errorf("%q, seen from %q: %v, %v, want %q", tt.name, tt.seen, got, ok, tt.want)
		}
	}
}

func TestPublicAddressesAreRefused(t *testing.T) {
	lookup := func(context.Context, string) ([]string, error) { return []string{"203.0.113.1"}, nil }
	for address, refused := range map[string]bool{
		"127.0.0.1:9": false, "10.1.2.3:9": false, "172.16.0.1:9": false, "192.168.1.1:9": false, "169.254.1.1:9": false,
		"100.64.1.1:9": false, "[::1]:9": false, "[fd00::1]:9": false, "[fe80::1]:9": false, "[::ffff:10.0.0.1]:9": false,
		"0.0.0.0:9": true, ":9": true, "[::]:9": true, "203.0.113.1:9": true, "172.32.0.1:9": true, "[2001:db8::1]:9": true,
		"name.example:9": true, "[::ffff:203.0.113.1]:9": true,
	} {
		if _, err := listenAddress(address, false, lookup); errors.Is(err, ErrPublic) != refused {
			t.Errorf("%s: %v, want refused: %v", address, err, refused)
		}
		if _, err := listenAddress(address, true, lookup); err != nil {
			t.Errorf("%s, public addresses allowed: %v", address, err)
		}
	}
	for _, address := range []string{"", "10.0.0.1", "10.0.0.1:", "10.0.0.1:70000", "10.0.0.1:x"} {
		if _, err := listenAddress(address, true, lookup); err == nil {
			t.Errorf("%q is accepted", address)
		}
	}
}

func TestPortInUseIsReported(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := newWorld(t)
	o := w.options()
	o.Listen = l.Addr().String()
	if _, err := Serve(o); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the error is %v", err)
	}
}

// An address in between leads back to the own server, at which another try follows each second.
func TestRouteToSelfIsHarmless(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	o.Listen, o.Public = "0.0.0.0:0", true
	a := w.serve(o)
	_, port, _ := net.SplitHostPort(a.address)
	o.Join, o.Listen = []string{"127.0.0.7:" + port}, "127.0.0.1:0"
	b := w.serve(o)
	awaitLink(t, b, a)
	a.server.routes.hear([]byte("127.0.0.7:" + port)) // not an address of an interface
	a.server.routes.update()
	awaitLink(t, a, b)
	received := counter(t, a, "once")
	if err := a.Publish("once", nil); err != nil {
		t.Fatal(err)
	}
	await(t, "the own message", func() bool { return received() > 0 })
	time.Sleep(100 * time.Millisecond) // for a second delivery over the route
	if n := received(); n != 1 {
		t.Errorf("the own message arrived %d times", n)
	}
}

// configured returns the addresses in the configuration of the server.
func (r *routes) configured() []netip.AddrPort {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.current)
}
