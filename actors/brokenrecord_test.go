package actors

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/wire"
)

// Any message except the next record of this session closes the connection with 1002; messages before it are delivered.
func TestBrokenRecordEndsTheSession(t *testing.T) {
	for name, frames := range map[string]func(p *sessionPeer) [][]byte{
		"garbage":     func(*sessionPeer) [][]byte { return [][]byte{[]byte("no record at all")} },
		"empty":       func(*sessionPeer) [][]byte { return [][]byte{{}} },
		"flipped bit": func(p *sessionPeer) [][]byte { return [][]byte{flipped(p.record(p.message("logs", 1)))} },
		"cut": func(p *sessionPeer) [][]byte {
			r := p.record(p.message("logs", 1))
			return [][]byte{r[:len(r)-1]}
		},
		"unknown type":   func(p *sessionPeer) [][]byte { r := p.record(p.message("logs", 1)); r[0] = 3; return [][]byte{r} },
		"rekey as type":  func(p *sessionPeer) [][]byte { r := p.record(p.message("logs", 1)); r[0] = 2; return [][]byte{r} },
		"no message":     func(p *sessionPeer) [][]byte { return [][]byte{p.sealer.Seal([]byte{0})} },
		"past the end":   func(p *sessionPeer) [][]byte { return [][]byte{p.sealer.Seal([]byte{0, 9, 0})} },
		"long length":    func(p *sessionPeer) [][]byte { return [][]byte{p.sealer.Seal([]byte{0, 0x81, 0, 0})} },
		"SMSG container": func(p *sessionPeer) [][]byte { return [][]byte{p.container()} },
		"reflected":      func(p *sessionPeer) [][]byte { return [][]byte{slices.Clone(p.raw[len(p.raw)-1])} },
		"one left out": func(p *sessionPeer) [][]byte {
			p.record(p.message("logs", 1))
			return [][]byte{p.record(p.message("logs", 2))}
		},
		"replayed": func(p *sessionPeer) [][]byte {
			r := p.record(p.message("chat", 1))
			return [][]byte{r, slices.Clone(r)}
		},
		"swapped": func(p *sessionPeer) [][]byte {
			first, second := p.record(p.message("logs", 1)), p.record(p.message("logs", 2))
			return [][]byte{second, first}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, sessions)
				p := r.openProven()
				p.send(p.message("stats", 1), p.message("stats", 2))
				synctest.Wait()
				for _, frame := range frames(p) {
					p.sendFrame(frame)
				}
				p.send(p.message("logs", "behind"))
				if got := p.status(); got != websocket.StatusProtocolError {
					t.Errorf("closed with %v, want 1002", got)
				}
				if end := r.ended(); end.Code != wire.DisconnectProtocolErr || end.Remote {
					t.Errorf("ended %+v", end)
				}
				if stats, logs := r.delivered("stats"), r.delivered("logs"); len(stats) != 2 || len(logs) != 0 {
					t.Errorf("delivered %d before it and %d behind it, want 2 and 0", len(stats), len(logs))
				}
				r.want(map[Counter]uint64{FramesMalformed: 1, DowngradesRefused: 0})
			})
		})
	}
}

// A text message is no record, even if it holds one.
func TestTextMessageEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		record := p.record(p.message("stats", 1))
		if err := p.ws.Write(t.Context(), websocket.MessageText, record); err != nil {
			t.Fatal(err)
		}
		if got := p.status(); got != websocket.StatusProtocolError || len(r.delivered("stats")) != 0 {
			t.Errorf("closed with %v, delivered %v", got, r.delivered("stats"))
		}
	})
}

func flipped(record []byte) []byte {
	record[5] ^= 1
	return record
}

// container returns an SMSG frame that the node would accept without a session.
func (p *sessionPeer) container() []byte {
	c, err := newSMSG(p.rig.secretWith(p.keys), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	f, err := p.rig.node.encodeSMSG(p.message("logs", 1))
	if err != nil {
		p.t.Fatal(err)
	}
	return c.seal(f.data)
}

// A malformed message inside a record is skipped and counted, the others are delivered. A hundred in a row end the
// connection.
func TestMalformedMessagesOfARecordAreSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions, unlimited)
		p := r.openProven()
		bad := []byte{1, 0x40} // a reserved bit
		mixed := func(bads int) []byte {
			record := make([]byte, 1)
			for range bads {
				record = append(record, bad...)
			}
			msg, err := wire.AppendMessage(record, p.message("stats", 1), p.id(), "")
			if err != nil {
				t.Fatal(err)
			}
			return p.sealer.Seal(msg)
		}
		p.sendFrame(mixed(99))
		p.sendFrame(mixed(99))
		if n := len(r.delivered("stats")); n != 2 {
			t.Errorf("%d delivered, want 2", n)
		}
		r.want(map[Counter]uint64{FramesMalformed: 198})
		p.sendFrame(mixed(100))
		if got := p.status(); got != websocket.StatusProtocolError || len(r.delivered("stats")) != 2 {
			t.Errorf("closed with %v, delivered %v", got, r.delivered("stats"))
		}
		r.want(map[Counter]uint64{FramesMalformed: 298, MessagesAfterGoodbye: 1})
	})
}
