package actors

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors/socket"
)

// tcpPump is a read pump over a TCP connection, the only kind that can wait without reading, and its far end.
type tcpPump struct {
	there  *websocket.Conn
	posted chan any
	spawns atomic.Int32
	work   sync.WaitGroup
	budget *budget
}

// crumbs writes in small pieces.
type crumbs struct{ net.Conn }

func (c crumbs) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = c.Conn.Write(p[n:min(n+max(7, len(p)/5), len(p))])
		n += more
	}
	return n, err
}

func newTCPPump(t *testing.T) *tcpPump {
	p := &tcpPump{posted: make(chan any, 1000), budget: newBudget(1<<20, nil, nil)}
	system := newSystem()
	pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch message := ctx.Message().(type) {
		case *frameBatch:
			if message.n > maxBatchFrames {
				t.Errorf("%d frames at once", message.n)
			}
			for _, data := range message.frames() {
				p.posted <- bytes.Clone(data)
			}
			message.done()
		case fromPumps:
			p.posted <- message
		}
	}))
	node := &Node{System: system, Readers: NewUnboundedWorkers(2), Spawn: func(run func()) {
		p.spawns.Add(1)
		p.work.Go(run)
	}}
	t.Cleanup(node.Readers.Close)
	opts := socket.Options{ReadLimit: 1 << 20, MessageTimeout: time.Minute, WriteTimeout: time.Minute}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if socket, err := socket.Accept(w, r, opts); err == nil {
			pump := &readPump{socket: socket, budget: p.budget, node: node, handle: &Handle{node: node, pid: pid}}
			node.Spawn(pump.run)
		}
	}))
	t.Cleanup(server.Close)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return crumbs{conn}, err
	}
	var err error
	p.there, _, err = websocket.Dial(t.Context(), server.URL, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: dial}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pass sends messages and expects them in order.
func (p *tcpPump) pass(t *testing.T, messages ...[]byte) {
	t.Helper()
	go func() {
		for _, m := range messages {
			if err := p.there.Write(context.Background(), websocket.MessageBinary, m); err != nil {
				t.Error(err)
			}
		}
	}()
	for i, want := range messages {
		got, ok := (<-p.posted).([]byte)
		if !ok || !bytes.Equal(got, want) {
			t.Fatalf("message %d of %d bytes did not come as it was sent", i, len(want))
		}
		p.budget.give(costOf(len(want)))
	}
}

// A connection that is always busy stays so, for any number of reads.
func TestReadPumpStaysBusy(t *testing.T) {
	now := time.Now()
	r := &readPump{last: now}
	for range busyAfter {
		r.note(now)
	}
	before := r.streak
	r.note(now)
	if !r.busy() || r.streak != before {
		t.Errorf("busy: %v, counted %d more", r.busy(), r.streak-before)
	}
	if r.note(now.Add(idleAfter)); r.busy() {
		t.Error("busy after a rest")
	}
}

func TestReadPumpReplacesItsGoroutineWhenIdle(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a connection cannot be asked whether it is readable")
	}
	began := time.Now()
	p := newTCPPump(t)
	p.pass(t, []byte("alone"))
	burst := make([][]byte, 3*busyAfter)
	for i := range burst {
		burst[i] = bytes.Repeat([]byte{byte(i)}, i*i*100) // some are shorter than a read, some longer
	}
	p.pass(t, burst...)
	woken := time.Now()
	for i := range 2 * busyAfter { // each waits for the one before, so each is a wake-up of its own
		p.pass(t, []byte{byte(i)})
	}
	paused := time.Since(woken) >= idleAfter // by a slow machine: the pump may be idle already
	requireSpawns := func(least int) {
		t.Helper()
		n, most := int(p.spawns.Load()), 1+int(time.Since(began)/idleAfter) // each quiet of idleAfter may start one
		if n < least || n > most {
			t.Errorf("%d goroutines were started, want from %d to %d", n, least, most)
		}
	}
	requireSpawns(1)
	time.Sleep(idleAfter + 100*time.Millisecond)
	p.pass(t, burst...)
	if paused {
		requireSpawns(1)
	} else {
		requireSpawns(2)
	}
	if err := p.there.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if end, ok := (<-p.posted).(*readEnded); !ok || websocket.CloseStatus(end.err) != websocket.StatusNormalClosure {
		t.Errorf("the end was posted as %v", end)
	}
	p.work.Wait()
}

// The end of the network connection reaches a waiting pump, and one inside a message.
func TestReadPumpEndsWithItsConnection(t *testing.T) {
	for name, sent := range map[string]int{"while it rests": 0, "inside a message": 1} {
		t.Run(name, func(t *testing.T) {
			p := newTCPPump(t)
			if sent > 0 {
				w, err := p.there.Writer(t.Context(), websocket.MessageBinary)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.Write(make([]byte, 10_000)); err != nil { // the library sends its full buffer
					t.Fatal(err)
				}
			}
			if err := p.there.CloseNow(); err != nil {
				t.Fatal(err)
			}
			if end, ok := (<-p.posted).(*readEnded); !ok || end.err == nil {
				t.Errorf("the end was posted as %v", end)
			}
			p.work.Wait()
		})
	}
}
