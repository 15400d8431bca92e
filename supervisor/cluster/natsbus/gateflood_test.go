package natsbus

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// flood opens connections, each from another address, every two milliseconds until the test ends. 128 are open.
func flood(t *testing.T, to string, first []byte) {
	t.Helper()
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		open := make([]net.Conn, 128)
		defer func() {
			for _, conn := range open {
				if conn != nil {
					_ = conn.Close()
				}
			}
		}()
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			from := net.ParseIP(fmt.Sprintf("127.1.%d.%d", n/250%250, n%250+1))
			dialer := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: from}}
			conn, err := dialer.Dial("tcp", to)
			if err != nil {
				continue
			}
			_, _ = conn.Write(first) // an error: it was closed
			if oldest := open[n%len(open)]; oldest != nil {
				_ = oldest.Close()
			}
			open[n%len(open)] = conn
		}
	})
	t.Cleanup(func() {
		close(stop)
		group.Wait()
	})
}

// A flood from so many addresses that none is crowded cuts no member off: a route gives its slot back as soon as the
// server lists it, not when the routes are compared the next time.
func TestFloodFromManyAddressesCutsNoRoute(t *testing.T) {
	for name, first := range map[string][]byte{"silent": nil, "half a handshake": hello} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.serve(w.options())
			flood(t, a.address, first)
			await(t, "the flood", func() bool { return a.log.count("the oldest were closed") > 0 })
			b := w.serve(w.options(a.address))
			awaitLink(t, b, a)
			received := counter(t, a, "beat")
			awaitSubscription(t, b, "beat", received)
			for sent, end := received(), time.Now().Add(2*routesEvery); time.Now().Before(end); {
				sent++
				if err := b.Publish("beat", nil); err != nil {
					t.Fatal(err)
				}
				// One that awaitSubscription has sent may arrive late.
				await(t, "a message, so the route was cut", func() bool { return received() >= sent })
			}
		})
	}
}

// awaitSubscription waits until a message of a member reaches a subscription of another one, and no further one is on
// its way.
func awaitSubscription(t *testing.T, from *member, subject string, received func() int) {
	t.Helper()
	sent := 0
	await(t, "the subscription", func() bool {
		if received() > 0 {
			return true
		}
		sent++
		_ = from.Publish(subject, nil) // an error: the test fails later
		return false
	})
	_ = from.client.FlushTimeout(patience)
	for last := -1; last != received(); time.Sleep(20 * time.Millisecond) {
		last = received()
	}
}

// If all slots are taken, the gate frees those of routes that the server lists instead of closing a stranger.
func TestGateFreesSlotsOfListedRoutes(t *testing.T) {
	port := new(atomic.Uint32)
	g, server := gateBefore(t, func() []uint16 { return []uint16{uint16(port.Load())} })
	outer := strangers(t, 1, "127.0.0.9", g.address().String(), hello)[0]
	inner, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	at := addressOf(inner.RemoteAddr()).Port()
	port.Store(uint32(at))
	await(t, "the note of the connection", func() bool { _, found := g.origin(at); return found })
	for i := range maxStrangers {
		strangers(t, 1, fmt.Sprintf("127.1.0.%d", i+1), g.address().String(), nil)
	}
	await(t, "the slots of the strangers", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.strangers) == maxStrangers
	})
	_ = outer.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := outer.Read(make([]byte, 1)); !timedOut(err) {
		t.Errorf("the route has ended: %v", err)
	}
}
