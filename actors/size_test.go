package actors

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/wire"
	"github.com/coder/websocket"
)

// A message of exactly the maximum size passes; one byte more is refused before it is sent.
func TestMaxMessageSizeIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(l *Limits) { l.MaxMessageSize = 4096 })
		p := r.openVerified()
		msg := p.message("stats", "")
		f, err := r.node.encodeSMSG(msg)
		if err != nil {
			t.Fatal(err)
		}
		space := 4096 - smsgSize(f.data)
		for extra, want := range []error{nil, ErrTooLarge} {
			msg := p.message("stats", strings.Repeat("x", space+extra))
			if err := r.slot.handle.Send(t.Context(), msg); err != want {
				t.Errorf("%d bytes: %v, want %v", 4096+extra, err, want)
			}
		}
		if n := p.lastSize(); n != 4096 {
			t.Errorf("the largest frame has %d bytes", n)
		}
		exact := p.frame(p.message("logs", strings.Repeat("x", space+len("stats")-len("logs")+endSize-len("}"))))
		p.sendFrame(exact)
		if n := len(r.delivered("logs")); n != 1 || len(exact) != 4096 {
			t.Errorf("%d delivered of one of %d bytes", n, len(exact))
		}
		p.sendFrame(append(exact, 0))
		synctest.Wait()
		if status := websocket.CloseStatus(p.closed); status != websocket.StatusMessageTooBig {
			t.Errorf("one byte more: %v, want a close with 1009", p.closed)
		}
		if end := r.ended(); end.Code != wire.DisconnectProtocolErr || end.Remote {
			t.Errorf("ended with %+v", end)
		}
	})
}
