package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// fakeSender records the sent messages.
type fakeSender struct {
	sent   []string
	err    error
	failed []supervisor.SendFailure

	unknown string // a name that does not resolve
	awaited bool   // unknown resolves after the first dials
	dialled int    // calls of AwaitFirstDials
}

func (f *fakeSender) Resolve(name string) (string, error) {
	if name == "stranger" || name == f.unknown {
		return "", fmt.Errorf("%w: %q", supervisor.ErrUnknownPeer, name)
	}
	return "id-of-" + name, nil
}

func (f *fakeSender) SendContext(_ context.Context, peer string, m *wire.Message) error {
	f.sent = append(f.sent, fmt.Sprintf("%s: %s %s from %s, answers %q", peer, m.Type, m.Payload, m.From, m.ReplyTo))
	return f.err
}

func (f *fakeSender) BroadcastContext(_ context.Context, m *wire.Message) supervisor.BroadcastResult {
	f.sent = append(f.sent, fmt.Sprintf("all: %s %s", m.Type, m.Payload))
	return supervisor.BroadcastResult{Failed: f.failed, Refused: f.err}
}

// AwaitFirstDials connects the awaited peer.
func (f *fakeSender) AwaitFirstDials(context.Context) error {
	f.dialled++
	if f.awaited {
		f.unknown = ""
	}
	return nil
}

func readLines(t *testing.T, node *fakeSender, input string) (complaints string) {
	t.Helper()
	var out bytes.Buffer
	lines := lineReader{from: "me", node: node, errors: &out, limits: fixedLimits(200 - lineSlack)}
	lines.run(t.Context(), strings.NewReader(input))
	return out.String()
}

func TestLinesBecomeMessages(t *testing.T) {
	node := &fakeSender{}
	complaints := readLines(t, node, `{"to":"bob","type":"stats","payload":{"a":1},"replyTo":"7"}
{"to":"bob"}`+"\r"+`
{"payload":"hi"}
{"to":"bob","payload":2}`)
	want := []string{
		`id-of-bob: stats {"a":1} from me, answers "7"`,
		`id-of-bob: chat null from me, answers ""`,
		`all: chat "hi"`,
		`id-of-bob: chat 2 from me, answers ""`,
	}
	if got := strings.Join(node.sent, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("sent\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if complaints != "" {
		t.Errorf("complaints: %s", complaints)
	}
}

// Each invalid line causes one error line with its number, and the valid line after them is sent.
func TestInvalidLinesAreReported(t *testing.T) {
	bad := []struct{ line, want string }{
		{"", "the line is empty"},
		{"  ", "the line is empty"},
		{"hello", "no JSON object: invalid character"},
		{"[1]", "no JSON object: it must be one such as " + lineForm},
		{`"text"`, "no JSON object: it must be one such as " + lineForm},
		{"null", "no JSON object: it must be one such as " + lineForm},
		{`{} {}`, "no JSON object: invalid character"},
		{`{"to":"bob"`, "no JSON object: unexpected end"},
		{`{"TO":"bob"}`, "unknown key TO"},
		{`{"to":"bob","x\ny":1}`, `unknown key "x\ny"`},
		{`{"to":""}`, "to: must be a text that is not empty"},
		{`{"to":null}`, "to: must be a text"},
		{`{"to":5}`, "to: must be a text"},
		{`{"type":""}`, "type: must be a text"},
		{`{"type":"handshake"}`, "type handshake: only opens connections"},
		{`{"type":"ping"}`, "type ping: use 'node ping'"},
		{`{"type":"a b"}`, `type "a b": must be a word such as chat`},
		{`{"to":"stranger"}`, "send to stranger: " + supervisor.ErrUnknownPeer.Error()},
		{`{"payload":"` + strings.Repeat("x", 200) + `"}`, errLineTooLong.Error()},
		{"{\"payload\":\"\xff\"}", "the payload is not UTF-8"},
	}
	var input strings.Builder
	for _, b := range bad {
		input.WriteString(b.line + "\n")
	}
	node := &fakeSender{}
	complaints := strings.Split(strings.TrimSpace(readLines(t, node, input.String()+`{"payload":1}`)), "\n")
	if len(complaints) != len(bad) {
		t.Fatalf("%d complaints, want %d:\n%s", len(complaints), len(bad), strings.Join(complaints, "\n"))
	}
	for i, b := range bad {
		if want := fmt.Sprintf("node: standard input, line %d: %s", i+1, b.want); !strings.HasPrefix(complaints[i], want) {
			t.Errorf("%s\nwant %s", complaints[i], want)
		}
	}
	if len(node.sent) != 1 || node.sent[0] != "all: chat 1" {
		t.Errorf("sent %v", node.sent)
	}
}

func TestSendErrorIsOneLine(t *testing.T) {
	complaints := readLines(t, &fakeSender{err: errors.New("not\nnow")}, `{"to":"bob"}`+"\n"+`{}`)
	want := "node: standard input, line 1: not; now\nnode: standard input, line 2: not; now\n"
	if complaints != want {
		t.Errorf("got %q, want %q", complaints, want)
	}
}

func TestUnsentLineNamesTheRemedy(t *testing.T) {
	complaint := readLines(t, &fakeSender{err: supervisor.ErrNotConnected}, `{"to":"bob"}`)
	if !strings.HasSuffix(complaint, "the peer is not connected: "+control.Advice(control.CodeNotConnected)+"\n") {
		t.Errorf("got %q", complaint)
	}
}

// The error of a message that is too large states the limit, for one peer and for a broadcast.
func TestTooLargeLineStatesTheLimit(t *testing.T) {
	const want = "the message is too large: sealed, it has more than 1MiB: " +
		"send less, or raise --max-message-size on both nodes\n"
	for line, node := range map[string]*fakeSender{
		`{"to":"bob"}`: {err: supervisor.ErrTooLarge},
		`{}`:           {failed: []supervisor.SendFailure{{Peer: "bob", Err: supervisor.ErrTooLarge}}},
	} {
		var out bytes.Buffer
		lines := lineReader{from: "me", node: node, errors: &out, limits: fixedLimits(1 << 20)}
		lines.run(t.Context(), strings.NewReader(line))
		if got := out.String(); got != "node: standard input, line 1: "+want {
			t.Errorf("%s: %q", line, got)
		}
	}
}

func TestReadLineRefusesLongLines(t *testing.T) {
	for _, c := range []struct {
		length int
		fits   bool
	}{{0, true}, {99, true}, {100, true}, {101, false}, {5000, false}} {
		reader := bufio.NewReaderSize(strings.NewReader(strings.Repeat("x", c.length)+"\nnext"), 16)
		line, err := readLine(reader, hundred)
		if fits := err == nil && len(line) == c.length; fits != c.fits {
			t.Errorf("%d: %d bytes, %v", c.length, len(line), err)
		}
		if next, err := readLine(reader, hundred); string(next) != "next" || err != nil {
			t.Errorf("%d: then %q, %v", c.length, next, err)
		}
		if _, err := readLine(reader, hundred); !errors.Is(err, io.EOF) {
			t.Errorf("%d: at the end %v", c.length, err)
		}
	}
}

// A reload changes the limits of the following lines without a restart of the reader.
func TestLineLimitsFollowReload(t *testing.T) {
	node := &fakeSender{}
	var out bytes.Buffer
	limits := func() lineLimits {
		l := lineLimits{maxMessage: 100 - lineSlack, timeout: time.Minute}
		if len(node.sent) > 0 {
			l.maxMessage += 100
		}
		return l
	}
	lines := lineReader{from: "me", node: node, errors: &out, limits: limits}
	long := `{"payload":"` + strings.Repeat("x", 120) + `"}`
	lines.run(t.Context(), strings.NewReader(long+"\n"+`{"payload":1}`+"\n"+long+"\n"))
	if len(node.sent) != 2 || strings.Count(out.String(), "line 1:") != 1 || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("sent %d, %s", len(node.sent), out.String())
	}
}

// FuzzLines reads arbitrary bytes. Each line is either sent or reported.
func FuzzLines(f *testing.F) {
	f.Add("{\"to\":\"bob\"}\n\n{\"payload\":[1]}\nx")
	f.Fuzz(func(t *testing.T, input string) {
		node := &fakeSender{}
		var out bytes.Buffer
		lines := lineReader{from: "me", node: node, errors: &out, limits: fixedLimits(100 - lineSlack)}
		lines.run(t.Context(), strings.NewReader(input))
		want := strings.Count(input, "\n")
		if input != "" && !strings.HasSuffix(input, "\n") {
			want++
		}
		if got := len(node.sent) + strings.Count(out.String(), "\n"); got != want {
			t.Errorf("%q: %d lines used or refused, want %d", input, got, want)
		}
	})
}

// fixedLimits returns limits that no reload changes.
func fixedLimits(maxMessage int) func() lineLimits {
	return func() lineLimits { return lineLimits{maxMessage: maxMessage, timeout: time.Minute} }
}

func hundred() int { return 100 }

// A line for a peer waits for the end of the peer's first dial.
func TestLineAwaitsFirstDial(t *testing.T) {
	for _, tt := range []struct {
		name       string
		awaited    bool
		sent, says int
	}{
		{"the dial succeeds", true, 1, 0},
		{"the dial fails", false, 0, 1},
	} {
		node := &fakeSender{unknown: "bob", awaited: tt.awaited}
		complaints := readLines(t, node, `{"to":"bob"}`)
		if len(node.sent) != tt.sent || strings.Count(complaints, "\n") != tt.says || node.dialled != 1 {
			t.Errorf("%s: sent %q, complaints %q, %d waits", tt.name, node.sent, complaints, node.dialled)
		}
	}
	if node := (&fakeSender{}); readLines(t, node, `{"to":"bob"}`) != "" || node.dialled != 0 {
		t.Errorf("a line for a known peer waits for dials")
	}
}
