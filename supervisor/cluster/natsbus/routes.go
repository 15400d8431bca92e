package natsbus

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor/cluster"
)

// A NATS server keeps a route alive only to the addresses of its configuration. Addresses that it hears of from other
// servers it tries for a while; a longer cut between two of three members would never heal. A name of its
// configuration it resolves to one of its addresses. Therefore routes keeps the configuration equal to all known
// addresses of members: those of all names to join, of members with a route, and those that other members have named.
const (
	routesEvery = time.Second      // between two comparisons
	lookupEvery = 5 * time.Second  // between two lookups of a name
	nameEvery   = 10 * time.Second // between two messages that name addresses
	forgetAfter = 10 * time.Minute // without a route or mention
	maxRoutes   = 256
	routedFor   = 10 * time.Second       // after which the end of a route is final
	knockWithin = 200 * time.Millisecond // for a connection to a member without a route
)

// routes keeps the routes of a server.
type routes struct {
	server  *server.Server
	gate    *gate
	options func([]*url.URL) *server.Options
	own     map[netip.AddrPort]bool // addresses of this member
	named   netip.AddrPort          // the one that other members are told; invalid: they know none better than they see
	join    []string
	lookup  lookupFunc
	log     *actors.LimitedLogger

	ctx    context.Context // ends the goroutines
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu       sync.Mutex
	resolved map[string][]netip.AddrPort  // by element of join; empty after a failure without earlier success
	heard    map[netip.AddrPort]time.Time // last route or mention
	current  []netip.AddrPort             // in the configuration
	routed   map[netip.AddrPort]time.Time // when a route was seen last
}

func newRoutes(
	s *server.Server, options func([]*url.URL) *server.Options, o EmbeddedOptions, g *gate,
) *routes {
	address := g.address()
	r := &routes{
		server: s, gate: g, options: options, own: ownAddresses(address), join: o.Join, lookup: o.Lookup,
		log: g.log, resolved: make(map[string][]netip.AddrPort),
		heard: make(map[netip.AddrPort]time.Time), routed: make(map[netip.AddrPort]time.Time),
	}
	if !address.Addr().IsUnspecified() {
		r.named = address
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// open starts to resolve the names to join, to update the routes, and to exchange addresses over the bus.
func (r *routes) open(b *Bus, nodeID string) error {
	subject := "p2p." + nodeID + ".routes"
	if _, err := b.Subscribe(subject, func(d cluster.Delivery) { r.hear(d.Body) }); err != nil {
		return err
	}
	for _, name := range r.join {
		r.group.Go(func() { r.resolveAgain(name) })
	}
	r.group.Go(func() {
		updates, names := time.NewTicker(routesEvery), time.NewTicker(nameEvery)
		defer updates.Stop()
		defer names.Stop()
		for {
			select {
			case <-updates.C:
				r.update()
			case <-names.C:
				_ = b.Publish(subject, r.names()) // sent again later
			case <-r.ctx.Done():
				return
			}
		}
	})
	return nil
}

// close ends the goroutines.
func (r *routes) close() {
	r.cancel()
	r.group.Wait()
}

// resolveAgain resolves a name to join until close. After a failure the earlier addresses stay.
func (r *routes) resolveAgain(name string) {
	for {
		found, err := r.resolve(name)
		if err != nil && r.ctx.Err() == nil {
			r.log.Warn("a name of --cluster-join has no address", "name", name, "error", err)
		}
		r.mu.Lock()
		if err == nil || r.resolved[name] == nil {
			r.resolved[name] = append([]netip.AddrPort{}, found...)
		}
		r.mu.Unlock()
		r.update()
		select {
		case <-time.After(lookupEvery):
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *routes) resolve(name string) ([]netip.AddrPort, error) {
	host, port, err := splitAddress(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.ctx, lookupWithin)
	defer cancel()
	ips, err := resolve(ctx, host, r.lookup)
	var found []netip.AddrPort
	for _, ip := range ips {
		found = append(found, netip.AddrPortFrom(ip, port))
	}
	return found, err
}

// update changes the configuration of the server if the known addresses have changed.
func (r *routes) update() {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, address := range r.refresh() {
		r.heard[address] = now
	}
	maps.DeleteFunc(r.heard, func(_ netip.AddrPort, last time.Time) bool { return now.Sub(last) > forgetAfter })
	wanted := plan(r.resolved, r.heard, r.own)
	if r.ctx.Err() != nil || slices.Equal(wanted, r.current) {
		return
	}
	r.gate.setKnown(wanted)
	urls := make([]*url.URL, 0, len(wanted))
	for _, address := range wanted {
		urls = append(urls, &url.URL{Scheme: "nats-route", Host: address.String()})
	}
	var err error
	r.gate.during(func() { r.refresh() }, func() { err = r.server.ReloadOptions(r.options(urls)) })
	if err != nil {
		r.log.Warn("the routes to other members cannot be changed", "error", err)
		return
	}
	r.current = wanted
}

// plan returns the addresses to keep a route to, in order: first those to join, and at most maxRoutes.
func plan(
	resolved map[string][]netip.AddrPort, heard map[netip.AddrPort]time.Time, own map[netip.AddrPort]bool,
) []netip.AddrPort {
	var join []netip.AddrPort
	for _, found := range resolved {
		join = append(join, found...)
	}
	slices.SortFunc(join, netip.AddrPort.Compare)
	others := slices.SortedFunc(maps.Keys(heard), netip.AddrPort.Compare)
	var wanted []netip.AddrPort
	for _, address := range append(join, others...) {
		if !own[address] && !slices.Contains(wanted, address) && len(wanted) < maxRoutes {
			wanted = append(wanted, address)
		}
	}
	return wanted
}

// refresh returns the addresses of the members with a route. It frees their slots at the gate, and ends the former
// routes there. r.mu is held.
func (r *routes) refresh() []netip.AddrPort {
	list, err := r.server.Routez(nil)
	if err != nil {
		return nil // Routez returns none
	}
	var found []netip.AddrPort
	ports := make(map[uint16]bool)
	for _, route := range list.Routes {
		ports[uint16(route.Port)] = true
		seen := route.IP
		if from, ok := r.gate.accept(uint16(route.Port)); ok && !route.DidSolicit {
			seen = from.String()
		}
		if address, ok := memberAddress(route.RemoteName, seen); ok {
			found = append(found, address)
		}
	}
	now := time.Now()
	maps.DeleteFunc(r.routed, func(_ netip.AddrPort, last time.Time) bool { return now.Sub(last) > routedFor })
	for _, address := range found {
		r.routed[address] = now
	}
	r.gate.retain(ports)
	return found
}

// complete reports whether each member that had a route in the last seconds has one now, or has ended: nothing listens
// at its address. A route also ends when the network fails, and then the server has no subscriptions of that member.
func (r *routes) complete(ctx context.Context) bool {
	r.mu.Lock()
	connected := r.refresh()
	var missing []netip.AddrPort
	for address := range r.routed {
		if !slices.Contains(connected, address) {
			missing = append(missing, address)
		}
	}
	r.mu.Unlock()
	return !slices.ContainsFunc(missing, func(address netip.AddrPort) bool { return !refuses(ctx, address) })
}

// refuses reports whether a host answers that nothing listens at an address.
func refuses(ctx context.Context, address netip.AddrPort) bool {
	knock := net.Dialer{Timeout: knockWithin}
	conn, err := knock.DialContext(ctx, "tcp", address.String())
	if err == nil {
		_ = conn.Close() // nothing was exchanged
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// names returns a message with the addresses of this member and of those with a route, one a line.
func (r *routes) names() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	var text []byte
	for _, address := range append(r.refresh(), r.named) {
		if address.IsValid() {
			text = append(address.AppendTo(text), '\n')
		}
	}
	return text
}

// hear takes the addresses of a message of names.
func (r *routes) hear(body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for line := range strings.Lines(string(body)) {
		address, err := netip.ParseAddrPort(strings.TrimSpace(line))
		if err == nil && len(r.heard) < maxRoutes {
			r.heard[address] = now
		}
	}
}

// await returns when all names to join are resolved and all members at their addresses have a route, or at the end of
// ctx.
func (r *routes) await(ctx context.Context) {
	for !r.joined() && ctx.Err() == nil {
		select {
		case <-time.After(10 * time.Millisecond): // the server has no event for a new route
		case <-ctx.Done():
		}
	}
}

func (r *routes) joined() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	connected := r.refresh()
	for _, name := range r.join {
		addresses, known := r.resolved[name]
		if !known || slices.ContainsFunc(addresses, func(a netip.AddrPort) bool {
			return !r.own[a] && !slices.Contains(connected, a)
		}) {
			return false
		}
	}
	return true
}
