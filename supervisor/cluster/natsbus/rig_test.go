package natsbus

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor/cluster"
	"github.com/Snider/go-p2p/tests/sockettest"
)

const patience = 30 * time.Second

// world is the set of members that share a key.
type world struct {
	t   *testing.T
	key *crypto.NodeManager
}

func newWorld(t *testing.T) *world {
	t.Helper()
	key, err := crypto.NewEphemeralNodeManager("node", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, key: key}
}

// member is a bus with its address and its log.
type member struct {
	*Bus
	address string
	log     *lines
}

// options returns the options of a member on a random port.
func (w *world) options(join ...string) EmbeddedOptions {
	return EmbeddedOptions{
		NodeID: w.key.Identity().ID, Key: w.key.ClusterKey, Listen: "127.0.0.1:0", Join: join,
	}
}

// serve starts a member. It stops with the test.
func (w *world) serve(o EmbeddedOptions) *member {
	w.t.Helper()
	m := &member{log: &lines{}}
	o.Log = slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	bus, err := Serve(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(bus.Close)
	m.Bus, m.address = bus, bus.Address()
	return m
}

// external starts a plain NATS server.
func external(t *testing.T, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s
}

// dial returns a member over NATS elsewhere. It stops with the test.
func (w *world) dial(url string, secrets ...[]byte) *member {
	w.t.Helper()
	m := &member{log: &lines{}}
	bus, err := Dial(ExternalOptions{
		NodeID: w.key.Identity().ID, Key: w.key.ClusterKey, Secrets: secrets, URL: url,
		Log: slog.New(slog.NewTextHandler(m.log, nil)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(bus.Close)
	m.Bus = bus
	return m
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// count returns the number of lines that contain a text.
func (l *lines) count(text string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// await waits until a condition holds.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not seen: %s", what)
		}
	}
}

// counter subscribes and counts the messages.
func counter(t *testing.T, m *member, subject string) func() int {
	t.Helper()
	var mu sync.Mutex
	n := 0
	if _, err := m.Subscribe(subject, func(cluster.Delivery) {
		mu.Lock()
		defer mu.Unlock()
		n++
	}); err != nil {
		t.Fatal(err)
	}
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

// awaitLink waits until messages of one member reach the other.
func awaitLink(t *testing.T, from, to *member) {
	t.Helper()
	subject := "link." + from.address + to.address
	received := counter(t, to, subject)
	await(t, "a link from "+from.address+" to "+to.address, func() bool {
		if err := from.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		return received() > 0
	})
}

// freePort returns a port of 127.0.0.1 at which nothing listens.
func freePort(t *testing.T) int {
	t.Helper()
	return int(netip.MustParseAddrPort(sockettest.FreeAddress(t)).Port())
}
