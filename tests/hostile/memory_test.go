package hostile

import (
	"bytes"
	bin "encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/Borg/pkg/smsg"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// growthLimit is the limit of the peak memory of the node binary during a flood, in bytes above the memory at rest. The
// test logs the peak of each flood.
const growthLimit = 32 << 20

// attacker is a peer that floods a node with frames.
type attacker struct {
	t *testing.T
	p *process
	c *refpeer.Conn
}

// throw sends a frame so many times, with a good message after every 50, because a hundred bad frames in a row end the
// connection.
func (a *attacker) throw(frame []byte, times int) {
	a.t.Helper()
	for i := range times {
		must(a.t, a.c.SendRaw(frame))
		if i%50 == 49 {
			a.p.roundTrip(a.c)
		}
	}
	a.p.roundTrip(a.c)
}

// seal seals a message that change may alter.
func (a *attacker) seal(change func(*refpeer.Envelope)) []byte {
	a.t.Helper()
	e, err := refpeer.NewEnvelope("chat", a.c.Peer().ID, a.p.ID(), nil)
	must(a.t, err)
	change(&e)
	text, err := json.Marshal(e)
	must(a.t, err)
	frame, err := refpeer.Seal(string(text), a.c.Password())
	must(a.t, err)
	return frame
}

// headed returns a container whose header claims a length.
func headed(header []byte, claimed uint32, rest []byte) []byte {
	frame := bin.BigEndian.AppendUint32([]byte("SMSG\x02"), claimed)
	return append(append(frame, header...), rest...)
}

// bomb returns a frame of Borg's encoder that decompresses to many megabytes.
func (a *attacker) bomb() []byte {
	a.t.Helper()
	frame, err := smsg.EncryptV2(smsg.NewMessage(strings.Repeat("x", 16<<20)), a.c.Password())
	must(a.t, err)
	return frame
}

var floods = map[string]func(*attacker){
	"ids of 700 KB": func(a *attacker) {
		a.throw(a.seal(func(e *refpeer.Envelope) { e.ID = strings.Repeat("i", 700<<10) }), 60)
	},
	"many ids": func(a *attacker) {
		for i := range 10_000 {
			if _, err := a.c.Send("c", "", nil); err != nil {
				a.t.Fatal(err)
			}
			if i%500 == 499 {
				a.p.roundTrip(a.c)
			}
		}
	},
	"decompression bombs":        func(a *attacker) { a.throw(a.bomb(), 500) },
	"header lengths of 4 GiB":    func(a *attacker) { a.throw(headed([]byte("{}"), 1<<32-1, make([]byte, 100)), 1000) },
	"header lengths of 16 MiB":   func(a *attacker) { a.throw(headed([]byte("{}"), 16<<20, make([]byte, 100)), 1000) },
	"headers of a megabyte":      func(a *attacker) { a.throw(bigHeader(), 60) },
	"frames that do not open":    func(a *attacker) { a.throw(make([]byte, 1<<20), 60) },
	"half a million tiny frames": tinyFrames,
	"handshakes":                 handshakes,
	"sockets that say nothing":   silence,
}

// bigHeader returns a container with a header of a megabyte: JSON with thousands of keys.
func bigHeader() []byte {
	var header bytes.Buffer
	header.WriteString(`{"version":"1.0"`)
	for i := 0; header.Len() < 1<<20-1000; i++ {
		fmt.Fprintf(&header, `,"key%d":[[[{}]]]`, i)
	}
	header.WriteByte('}')
	return headed(header.Bytes(), uint32(header.Len()), make([]byte, 100))
}

// tinyFrames sends frames of 6 bytes in few writes, almost all of them without a token. It waits for the closing
// handshake after the last.
func tinyFrames(a *attacker) {
	s := impostor(a.t, a.p.URL(), identity(a.t, "tiny").Public)
	for range 1000 {
		_, err := s.NetConn().Write(bytes.Repeat([]byte{0x82, 0x80, 0, 0, 0, 0}, 500))
		must(a.t, err)
	}
	closing := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	must(a.t, s.WriteControl(websocket.CloseMessage, closing, time.Now().Add(patience)))
	if got := s.end(); got != websocket.CloseNormalClosure {
		a.t.Errorf("closed with status %d, want %d", got, websocket.CloseNormalClosure)
	}
}

// handshakes sends handshakes of the largest size that the node reads; it refuses each.
func handshakes(a *attacker) {
	who := identity(a.t, "stranger").Public
	who.Name = strings.Repeat("n", 15<<10)
	for range 1000 {
		s := knock(a.t, a.p.URL())
		s.claim(who, []byte("too short"))
		if a.t.Failed() || s.answer().Accepted {
			a.t.Fatal("a handshake with a short challenge was accepted")
		}
		s.Close()
	}
}

// silence opens as many sockets as the node accepts, before and after the upgrade.
func silence(a *attacker) {
	for range 1000 {
		dialTCP(a.t, a.p.Address())
	}
	for range 95 {
		s := knock(a.t, a.p.URL())
		must(a.t, s.WriteMessage(websocket.PingMessage, nil))
	}
	a.p.roundTrip(a.c)
}

// TestMemoryStaysBoundedUnderFlood measures the node's peak resident memory during each flood.
func TestMemoryStaysBoundedUnderFlood(t *testing.T) {
	if _, err := os.Stat("/proc/self/clear_refs"); err != nil {
		t.Skip("memory is measured where /proc has it: ", err)
	}
	t.Parallel()
	for name, flood := range floods {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limits := []string{"--rate-refill", "0"}
			if strings.Contains(name, "tiny") {
				limits = []string{"--rate-burst", "50", "--rate-refill", "1"} // half of the bad frames that end a connection
			}
			p := launch(t, nodetest.NewHome(t), limits...)
			a := &attacker{t, p, p.connect(refpeer.Options{})}
			p.roundTrip(a.c)
			rest := p.memory("VmRSS")
			p.forgetPeak()
			began := time.Now()
			flood(a)
			peak := p.memory("VmHWM")
			t.Logf("at rest %.1f MiB, at most %.1f MiB, %v, %d bytes of log",
				float64(rest)/(1<<20), float64(peak)/(1<<20), time.Since(began).Round(time.Millisecond), len(p.Stderr()))
			if peak-rest > growthLimit {
				t.Errorf("it grew by %d bytes, want %d at most", peak-rest, growthLimit)
			}
			requireQuietLog(t, p, time.Since(began))
			p.roundTrip(a.c) // other peers are served
		})
	}
}

// requireQuietLog requires at most one line per second of each of a few kinds.
func requireQuietLog(t *testing.T, p *process, during time.Duration) {
	t.Helper()
	const kinds, lineBytes = 6, 400
	most := kinds * (2 + int(during.Seconds()))
	if lines := strings.Count(p.Stderr(), "\n"); lines > most || len(p.Stderr()) > most*lineBytes {
		t.Errorf("%d lines and %d bytes of log, want %d and %d at most:\n%.2000s",
			lines, len(p.Stderr()), most, most*lineBytes, p.Stderr())
	}
}
