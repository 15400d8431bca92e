package clusterlab

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

// person is a peer in this process, on real sockets. It knows the addresses of all members. It records its connections
// and messages.
type person struct {
	stop func()

	mu       sync.Mutex
	ups      int
	open     int       // connections
	down     time.Time // end of the last connection; zero: connected
	away     time.Duration
	received map[string]int // by type
}

// newNode runs a peer that is a complete node of this project.
func newNode(number int, addresses []string) (*person, error) {
	p := &person{received: make(map[string]int)}
	node, err := nodetest.New(nodetest.Options{
		Name: fmt.Sprint("p", number), OnEvent: p.event,
		OnMessage: func(_ *supervisor.PeerConnection, m *wire.Message) { p.message(string(m.Type)) },
		Config: func(cfg *supervisor.TransportConfig) {
			cfg.ListenAddr = ""
			cfg.Peers = addresses
		},
	})
	if err != nil {
		return nil, err
	}
	p.stop = func() { _ = node.Stop() }
	return p, nil
}

func (p *person) event(e supervisor.Event) {
	switch e.(type) {
	case supervisor.PeerUp:
		p.up()
	case supervisor.PeerDown:
		p.ended()
	}
}

func (p *person) up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ups++
	p.open++
	if !p.down.IsZero() {
		p.away = max(p.away, time.Since(p.down))
	}
	p.down = time.Time{}
}

func (p *person) ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open--; p.open == 0 {
		p.down = time.Now()
	}
}

func (p *person) message(kind string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.received[kind]++
}

// connected reports whether a peer has a connection.
func connected(p *person) bool { return p.ups > 0 && p.down.IsZero() }

// light is a peer that costs little: the reference peer's session on one connection at a time, without actors. It does
// the same handshake as a node and pauses as long between dials.
type light struct {
	*person
	identity  *refpeer.Identity
	addresses []string
	failures  int
}

// newLight runs a light peer.
func newLight(number int, addresses []string) (*person, error) {
	identity, err := refpeer.New(fmt.Sprint("p", number))
	if err != nil {
		return nil, err
	}
	l := &light{person: &person{received: make(map[string]int)}, identity: identity, addresses: addresses}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { l.run(ctx) })
	l.person.stop = func() { cancel(); running.Wait() }
	return l.person, nil
}

// run keeps the peer connected to one of its addresses, each in turn.
func (l *light) run(ctx context.Context) {
	for turn := 0; ctx.Err() == nil; turn++ {
		l.connect(ctx, l.addresses[turn%len(l.addresses)])
		l.failures++
		bound := min(time.Minute, 500*time.Millisecond<<min(l.failures-1, 7))
		select {
		case <-time.After(rand.N(bound)):
		case <-ctx.Done():
		}
	}
}

// connect dials an address and receives until the connection ends.
func (l *light) connect(ctx context.Context, address string) {
	address, _, _ = strings.Cut(address, "#")
	conn, err := refpeer.Dial(ctx, "ws://"+address+"/ws", refpeer.Options{
		Identity: l.identity, Pong: true, Features: []string{"single-connection"},
		Session: &refpeer.SessionOptions{},
	})
	if err != nil {
		return
	}
	began := time.Now()
	l.up()
	defer l.ended()
	defer conn.Close()
	for {
		e, err := conn.Recv(ctx)
		if err != nil || e.Type == refpeer.TypeDisconnect {
			break
		}
		l.message(e.Type)
	}
	if time.Since(began) > 10*time.Second {
		l.failures = 0
	}
}
