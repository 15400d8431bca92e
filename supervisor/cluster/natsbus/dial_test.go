package natsbus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor/cluster"
)

// The operator of NATS sees no body, and can neither invent, move, change nor repeat one.
func TestOperatorOfNATSCannotReadOrRepeat(t *testing.T) {
	w := newWorld(t)
	url := external(t, -1).ClientURL()
	operator := w.operator(url)
	a, b := w.dial(url), w.dial(url)
	received, other := counter(t, b, "p2p.x.dir"), counter(t, b, "p2p.x.other")
	if _, err := b.Subscribe("p2p.x.ask", func(d cluster.Delivery) { d.Respond([]byte("plain answer")) }); err != nil {
		t.Fatal(err)
	}
	await(t, "an answer", func() bool { // until b has subscribed, only the operator receives the question
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		answer, err := a.Request(ctx, "p2p.x.ask", []byte("plain question"))
		return err == nil && string(answer) == "plain answer"
	})
	if err := a.Publish("p2p.x.dir", []byte("plain text")); err != nil {
		t.Fatal(err)
	}
	await(t, "the message", func() bool { return received() == 1 })
	var original *nats.Msg
	for original == nil {
		select {
		case m := <-operator.recorded:
			if bytes.Contains(m.Data, []byte("plain")) {
				t.Errorf("%s carries %q", m.Subject, m.Data)
			}
			if m.Subject == "p2p.x.dir" {
				original = m
			}
		case <-time.After(patience):
			t.Fatal("the operator does not see the message")
		}
	}
	changed := bytes.Clone(original.Data)
	changed[len(changed)-1] ^= 1
	for subject, bodies := range map[string][][]byte{
		"p2p.x.dir":   {original.Data, changed, nil, []byte("x"), original.Data[:40]},
		"p2p.x.other": {original.Data},
	} {
		for _, body := range bodies {
			if err := operator.Publish(subject, body); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := operator.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := a.Publish("p2p.x.dir", []byte("second text")); err != nil {
		t.Fatal(err)
	}
	await(t, "the second message", func() bool { return received() >= 2 })
	if received() != 2 || other() != 0 {
		t.Errorf("%d messages and %d moved ones were delivered, want 2 and 0", received(), other())
	}
	if n := b.log.count("was refused"); n != 1 {
		t.Errorf("%d warnings of refused messages, want 1", n)
	}
}

// A request ignores an answer that no member has sealed.
func TestForgedAnswersAreIgnored(t *testing.T) {
	w := newWorld(t)
	url := external(t, -1).ClientURL()
	operator := w.operator(url)
	answered := make(chan struct{})
	if _, err := operator.Subscribe("ask", func(m *nats.Msg) {
		_ = m.Respond([]byte("forged"))
		close(answered)
	}); err != nil {
		t.Fatal(err)
	}
	if err := operator.Flush(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	go func() {
		<-answered
		time.Sleep(50 * time.Millisecond)
		cancel()
	}()
	if answer, err := w.dial(url).Request(ctx, "ask", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("answer %q, %v", answer, err)
	}
}

// While NATS is down, at the start or later, nothing waits; when it is back, messages arrive again.
func TestMembersRejoinWhenNATSReturns(t *testing.T) {
	w := newWorld(t)
	port := freePort(t)
	url := fmt.Sprintf("nats://127.0.0.1:%d", port)
	start := time.Now()
	a, b := w.dial(url), w.dial(url)
	if took := time.Since(start); took > patience/2 {
		t.Errorf("without NATS the start takes %v", took)
	}
	received := counter(t, b, "dir")
	for range 2 {
		if _, err := a.Request(t.Context(), "dir", nil); !errors.Is(err, cluster.ErrDetached) {
			t.Errorf("a request without NATS: %v", err)
		}
		if err := a.Publish("dir", nil); err != nil {
			t.Errorf("a message without NATS: %v", err)
		}
		if n := received(); n != 0 {
			t.Errorf("%d messages without NATS", n)
		}
		s := external(t, port)
		before := received()
		await(t, "a message over NATS", func() bool {
			if err := a.Publish("dir", nil); err != nil {
				t.Fatal(err)
			}
			return received() > before
		})
		s.Shutdown()
		s.WaitForShutdown()
		await(t, "the end of the connections", func() bool { return !a.client.IsConnected() && !b.client.IsConnected() })
		received = counter(t, b, "dir")
	}
	if n := a.log.count("runs without the others"); n != 2 { // at the start, and at the first disconnection
		t.Errorf("%d warnings, want 2", n)
	}
	if n := a.log.count("connected to NATS"); n != 2 {
		t.Errorf("%d lines about connections, want 2", n)
	}
}

// Secrets rotate over NATS as between embedded servers. Each of two members must accept the secret of the other.
func TestSealedBodiesNeedASecret(t *testing.T) {
	w := newWorld(t)
	url := external(t, -1).ClientURL()
	older, newer := []byte("old secret of the members"), []byte("new secret of the members")
	receiver := w.dial(url, newer, older)
	var mu sync.Mutex
	received := make(map[string]bool) // bodies
	arrived := func(body string) bool {
		mu.Lock()
		defer mu.Unlock()
		return received[body]
	}
	if _, err := receiver.Subscribe("dir", func(d cluster.Delivery) {
		mu.Lock()
		defer mu.Unlock()
		received[string(d.Body)] = true
	}); err != nil {
		t.Fatal(err)
	}
	if err := receiver.client.Flush(); err != nil { // NATS has the subscription
		t.Fatal(err)
	}
	for i, tt := range []struct {
		secrets [][]byte
		arrives bool
	}{
		{[][]byte{newer}, true},
		{[][]byte{older, newer}, true},
		{[][]byte{[]byte("another secret")}, false},
		{nil, false},
	} {
		body := strconv.Itoa(i)
		from := w.dial(url, tt.secrets...)
		publish := func() {
			if err := from.Publish("dir", []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
		if tt.arrives {
			await(t, "a message", func() bool { publish(); return arrived(body) })
			from.Close()
			continue
		}
		publish()
		from.Close() // sends the waiting message
		end := "end " + body
		if err := receiver.Publish("dir", []byte(end)); err != nil {
			t.Fatal(err)
		}
		await(t, "the end", func() bool { return arrived(end) })
		if arrived(body) {
			t.Errorf("a message under %q arrived", tt.secrets)
		}
	}
}

func TestMissingCredentialsAreReported(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "missing.creds")
	_, err := Dial(ExternalOptions{NodeID: "x", Key: w.key.ClusterKey, URL: "nats://127.0.0.1:1", Credentials: path})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
}

// A handler that does not keep up loses messages of its own subscription. The loss is logged, and each message counted.
func TestSlowHandlersLoseMessages(t *testing.T) {
	w := newWorld(t)
	a := w.serve(w.options())
	a.maxUnhandled = 4 << 20
	var dropped atomic.Int64
	a.OnDrop(func(reason actors.Counter) {
		if reason == actors.ClusterDroppedUnhandled {
			dropped.Add(1)
		}
	})
	var once sync.Once
	release, blocked := make(chan struct{}), make(chan struct{})
	handled := make(chan struct{}, 1000)
	if _, err := a.Subscribe("slow", func(cluster.Delivery) {
		once.Do(func() { close(blocked) })
		<-release
		handled <- struct{}{}
	}); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, 1<<20-1)
	published := 2*a.maxUnhandled/len(body) + 1
	for range published {
		if err := a.Publish("slow", body); err != nil {
			t.Fatal(err)
		}
	}
	<-blocked
	await(t, "the warning", func() bool { return a.log.count("does not keep up") == 1 })
	close(release)
	await(t, "the messages that waited", func() bool { return len(handled) >= a.maxUnhandled/len(body)-1 })
	await(t, "the count of the others", func() bool { return len(handled)+int(dropped.Load()) == published })
}
