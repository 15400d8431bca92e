package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

func testClock() time.Time {
	return time.Date(2025, 3, 4, 5, 6, 7, 123456789, time.FixedZone("", 3600))
}

func testMessage(kind wire.MessageType) *wire.Message {
	return &wire.Message{
		ID: "1", Type: kind, From: "f", To: "t", Timestamp: time.Date(2025, 1, 2, 3, 4, 5, 6, time.UTC),
		Payload: json.RawMessage(`{"a":"<b>\u001b[2J"}`), ReplyTo: "0",
	}
}

// happening is an event with its name, the JSON after event and time, and its text after the time.
type happening struct {
	event            event
	name, json, text string
}

// connectionEvents are events of connections, byte for byte.
func connectionEvents() []happening {
	return []happening{
		{
			eventOf(supervisor.PeerUp{Peer: "ID", Name: "b\x1b[31m", Address: "1.2.3.4:5", Direction: supervisor.Inbound}, ""),
			"peer_up", `"peer":"ID","name":"b\u001b[31m","address":"1.2.3.4:5","direction":"inbound","verified":false,` +
				`"connection":0,"session":"smsg"}`,
			`+ "b\x1b[31m" (ID) is connected, inbound, 1.2.3.4:5, smsg, not verified yet`,
		},
		{
			eventOf(supervisor.PeerUp{Peer: "ID", Name: "\u009b31m\u202e", Address: "1.2.3.4:5"}, ""),
			"peer_up", `"peer":"ID","name":"\u009b31m\u202e","address":"1.2.3.4:5","direction":"inbound","verified":false,` +
				`"connection":0,"session":"smsg"}`,
			`+ "\u009b31m\u202e" (ID) is connected, inbound, 1.2.3.4:5, smsg, not verified yet`,
		},
		{
			eventOf(supervisor.PeerUp{
				Peer: "ID", Name: "bob", Address: "1.2.3.4:5",
				Direction: supervisor.Outbound, Verified: true, Connection: 7, Format: supervisor.Format{Session: true},
			}, ""),

			"peer_up", `"peer":"ID","name":"bob","address":"1.2.3.4:5","direction":"outbound","verified":true,` +
				`"connection":7,"session":"session/1"}`,
			`+ bob (ID) is connected, outbound, 1.2.3.4:5, session/1`,
		},
		{
			eventOf(supervisor.PeerUp{Peer: "ID", Name: "bob", Address: "1.2.3.4:5", Omitted: 3}, ""),
			"peer_up", `"peer":"ID","name":"bob","address":"1.2.3.4:5","direction":"inbound","verified":false,` +
				`"connection":0,"session":"smsg","omitted":3}`,
			`+ bob (ID) is connected, inbound, 1.2.3.4:5, smsg, not verified yet, and 3 more`,
		},
		{
			eventOf(supervisor.PeerVerified{Peer: "ID", Name: "bob b"}, ""),
			"peer_verified", `"peer":"ID","name":"bob b"}`,
			`  "bob b" (ID) has proved that it holds its key`,
		},
		{
			eventOf(supervisor.PeerDown{
				Peer: "ID", Name: "b\x1b[31m",
				Code: wire.DisconnectShutdown, Reason: "bye\n", Remote: true,
			}, ""),

			"peer_down", `"peer":"ID","name":"b\u001b[31m","code":1004,"reason":"bye\n","remote":true}`,
			`- "b\x1b[31m" (ID) is disconnected by the peer: "bye\n" (server shutdown)`,
		},
		{
			eventOf(supervisor.PeerDown{
				Peer: "ID", Name: "b\x1b[31m",
				Code: wire.DisconnectShutdown, Reason: "server shutdown",
			}, ""),

			"peer_down", `"peer":"ID","name":"b\u001b[31m","code":1004,"reason":"server shutdown","remote":false}`,
			`- "b\x1b[31m" (ID) is disconnected: server shutdown`,
		},
		{
			eventOf(supervisor.PeerMoved{Peer: "ID", Name: "bob", From: 3, To: 9}, ""),
			"peer_moved", `"peer":"ID","from":3,"to":9}`,
			`  bob (ID) moved from connection 3 to 9; unconfirmed messages may be lost`,
		},
		{
			eventOf(supervisor.DowngradeRefused{Peer: "ID", Address: "1.2.3.4:5", Connection: 4, Omitted: 2}, ""),
			"downgrade_refused", `"peer":"ID","address":"1.2.3.4:5","connection":4,"omitted":2}`,
			`! connection 4 from 1.2.3.4:5, claiming to be ID, was closed: a frame was sealed for another ` +
				`connection, and 2 more`,
		},
	}
}

// otherEvents are one or more of each other event, byte for byte.
func otherEvents() []happening {
	return []happening{
		{
			listening{
				ID: "ID", Name: "alice", PublicKey: "KEY", Address: "127.0.0.1:9091",
				URL: "ws://127.0.0.1:9091/ws", Control: "/d/control.sock", join: "JOIN",
			},
			"listening", `"id":"ID","name":"alice","publicKey":"KEY","address":"127.0.0.1:9091",` +
				`"url":"ws://127.0.0.1:9091/ws","admin":"","control":"/d/control.sock"}`,
			"alice (ID) is listening on ws://127.0.0.1:9091/ws\n              JOIN",
		},
		{
			listening{
				ID: "ID", Name: "alice", PublicKey: "KEY", Address: "127.0.0.1:9091", URL: "ws://127.0.0.1:9091/ws",
				Admin: "http://127.0.0.1:9092", Control: "/d/control.sock",
			},
			"listening", `"id":"ID","name":"alice","publicKey":"KEY","address":"127.0.0.1:9091",` +
				`"url":"ws://127.0.0.1:9091/ws","admin":"http://127.0.0.1:9092","control":"/d/control.sock"}`,
			"alice (ID) is listening on ws://127.0.0.1:9091/ws, dashboard at http://127.0.0.1:9092",
		},
		{
			messageEvent(supervisor.Peer{ID: "0123456789", Name: "bob"}, 3, testMessage("chat"), ""),
			"message", `"peer":"0123456789","connection":3,"message":{"id":"1","type":"chat","from":"f","to":"t",` +
				`"ts":"2025-01-02T03:04:05.000000006Z","payload":{"a":"<b>\u001b[2J"},"replyTo":"0"}}`,
			`< bob (01234567) chat 1 in answer to 0: {"a":"<b>\u001b[2J"}`,
		},
		{
			withoutPayload(messageEvent(supervisor.Peer{ID: "0123456789", Name: "bob"}, 3, testMessage("chat"), "")),
			"message", `"peer":"0123456789","connection":3,"message":{"id":"1","type":"chat","from":"f","to":"t",` +
				`"ts":"2025-01-02T03:04:05.000000006Z","replyTo":"0"}}`,
			`< bob (01234567) chat 1 in answer to 0, 20 bytes`,
		},
		{
			eventOf(supervisor.DialFailed{Address: "h:1", Err: errors.New("no\nroute"), RetryIn: 1500 * time.Millisecond}, ""),
			"dial_failed", `"address":"h:1","error":"no\nroute","retryIn":1.5}`,
			"! h:1 cannot be reached: no; route; next try in 1.5s",
		},
		{
			eventOf(supervisor.DialFailed{Address: "h:1", Err: supervisor.ErrOwnAddress, RetryIn: time.Minute}, ""),
			"dial_failed", `"address":"h:1","error":"this is this node's own address","retryIn":60}`,
			"! h:1 cannot be reached: this is this node's own address: give the address of another node; next try in 1m0s",
		},
		{
			eventOf(supervisor.IdentityConflict{Peer: "ID", Addresses: []string{"1.2.3.4", "b\x1b[31m"}}, ""),
			"identity_conflict", `"peer":"ID","addresses":["1.2.3.4","b\u001b[31m"]}`,
			`! the identity ID is in use from several addresses: 1.2.3.4, "b\x1b[31m"; new connections are ` +
				`refused: give each host its own identity`,
		},
		{
			eventOf(supervisor.IdentityConflict{Peer: "ID", Addresses: []string{"1.2.3.4"}, Unproven: true}, ""),
			"identity_conflict", `"peer":"ID","addresses":["1.2.3.4"],"unproven":true}`,
			"! the identity ID is in use several times at 1.2.3.4 (unproven: some of them bind no frames)",
		},
		{
			eventOf(supervisor.PeerRefused{
				Peer: "ID", Name: "b\x1b[31m", Address: "1.2.3.4:5", Reason: "peer not authorized", Omitted: 2,
			}, ""),

			"peer_refused", `"peer":"ID","key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","name":"b\u001b[31m",` +
				`"address":"1.2.3.4:5","reason":"peer not authorized","omitted":2}`,
			`! "b\x1b[31m" (ID) from 1.2.3.4:5 was refused: peer not authorized, and 2 more`,
		},
		{
			eventOf(supervisor.Dropped{Peer: "ID", Name: "b\x1b[31m", Reason: "messagesStale", Count: 3}, ""),
			"dropped", `"peer":"ID","reason":"messagesStale","count":3}`,
			`! "b\x1b[31m" (ID): 3 dropped, counted in messagesStale`,
		},
		{
			stopped{"SIGTERM"},
			"stopped", `"reason":"SIGTERM"}`,
			"stopped: SIGTERM",
		},
	}
}

func TestEventLinesKeepTheirBytes(t *testing.T) {
	for _, h := range append(connectionEvents(), otherEvents()...) {
		var out bytes.Buffer
		want := `{"event":"` + h.name + `","time":"2025-03-04T04:06:07.123456789Z",` + h.json + "\n"
		if got := string(newEventLog(&out, "json").line(h.event, testClock())); got != want {
			t.Errorf("%s\n got %s\nwant %s", h.name, got, want)
		}
		want = "05:06:07.123  " + h.text + "\n"
		if got := string(newEventLog(&out, "text").line(h.event, testClock())); got != want {
			t.Errorf("%s\n got %s\nwant %s", h.name, got, want)
		}
	}
}

func TestPingPongAndDisconnectAreNoEvents(t *testing.T) {
	for _, kind := range []wire.MessageType{wire.MsgPing, wire.MsgPong, wire.MsgDisconnect} {
		if e := messageEvent(supervisor.Peer{}, 1, testMessage(kind), ""); e != nil {
			t.Errorf("%s is an event", kind)
		}
	}
	for _, kind := range []wire.MessageType{wire.MsgError, wire.MsgGetStats, "anything"} {
		if messageEvent(supervisor.Peer{}, 1, testMessage(kind), "") == nil {
			t.Errorf("%s is no event", kind)
		}
	}
	if e := eventOf(supervisor.Received{}, ""); e != nil {
		t.Errorf("%v is an event", e)
	}
}

// listening is always the first event and stopped the last.
func TestEventLogOrdersFirstAndLast(t *testing.T) {
	var out bytes.Buffer
	l := newEventLog(&out, "json")
	l.add(peerVerified{Peer: "early"}, testClock())
	if out.Len() > 0 {
		t.Errorf("before listening: %s", &out)
	}
	l.open(listening{ID: "me"}, testClock())
	l.add(peerVerified{Peer: "later"}, testClock())
	l.close(t.Context(), stopped{"SIGINT"}, testClock())
	l.add(peerVerified{Peer: "late"}, testClock())
	var order []string
	for line := range strings.Lines(out.String()) {
		var e struct{ Event, ID, Peer, Reason string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		order = append(order, e.Event+e.ID+e.Peer+e.Reason)
	}
	const want = "listeningme peer_verifiedearly peer_verifiedlater stoppedSIGINT"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEventLogShowsTheSelectedEvents(t *testing.T) {
	for events, want := range map[string][]string{
		"all":         {"listening", "payload", "stopped"},
		"no-payloads": {"listening", "message", "stopped"},
		"none":        nil,
	} {
		var out bytes.Buffer
		l := newEventLog(&out, "json")
		l.show(events)
		l.open(listening{}, testClock())
		l.add(messageEvent(supervisor.Peer{}, 1, testMessage("chat"), ""), testClock())
		l.close(t.Context(), stopped{"x"}, testClock())
		var got []string
		for line := range strings.Lines(out.String()) {
			var e struct {
				Event   string
				Message map[string]any
			}
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			if _, payload := e.Message["payload"]; payload {
				e.Event = "payload"
			}
			got = append(got, e.Event)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s shows %v, want %v", events, got, want)
		}
	}
}

func TestFailedWriteClosesBroken(t *testing.T) {
	reader, writer := io.Pipe()
	reader.Close()
	l := newEventLog(writer, "text")
	l.open(listening{}, testClock())
	l.add(peerVerified{Peer: "x"}, testClock())
	<-l.broken
	l.close(t.Context(), stopped{"x"}, testClock())
}

// A reader that does not read cannot delay the stop of the node.
func TestCloseReturnsWithAStuckReader(t *testing.T) {
	reader, writer := io.Pipe()
	l := newEventLog(writer, "text")
	l.opened = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l.close(ctx, stopped{"x"}, testClock())
	reader.Close()
	<-l.broken
}
