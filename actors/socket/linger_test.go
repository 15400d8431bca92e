package socket

import (
	"bytes"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A peer that keeps sending, including WebSocket pings, and reads late still gets the close frame and the end of our
// half. The socket lingers while the peer sends and has not closed, up to the limit.
func TestLingerEndsWithPeerOrAtLimit(t *testing.T) {
	cases := map[string]struct {
		sends time.Duration // a frame every 100 ms, for so long
		reads time.Duration // time of reading and closing; 0: never
		want  time.Duration // until our side is done
	}{
		"closes at once":        {sends: time.Millisecond, reads: 10 * time.Millisecond, want: 10 * time.Millisecond},
		"reads late":            {sends: time.Hour, reads: 4 * time.Second, want: 4 * time.Second},
		"never closes":          {sends: time.Hour, want: LingerTimeout},
		"falls silent":          {sends: 2500 * time.Millisecond, want: 2400*time.Millisecond + LingerSilence},
		"has nothing to say":    {want: LingerSilence},
		"is silent, then reads": {reads: 900 * time.Millisecond, want: 900 * time.Millisecond},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newRawPeer(t, testOptions())
				if _, err := p.conn.Read(make([]byte, 1000)); err != nil { // the upgrade
					t.Fatal(err)
				}
				began := time.Now()
				var peer sync.WaitGroup
				peer.Go(func() {
					for time.Since(began) < c.sends {
						if p.write(append(rawFrame(true, 2, make([]byte, 100)), rawFrame(true, 9, []byte("ping"))...)) != nil {
							return
						}
						time.Sleep(100 * time.Millisecond)
					}
				})
				if c.reads > 0 {
					peer.Go(func() {
						time.Sleep(c.reads)
						said, err := io.ReadAll(p.conn)
						if !bytes.HasSuffix(said, []byte{0x88, 2, 0x03, 0xe8}) || err != nil {
							t.Errorf("the peer read %q and then %v, want a close with 1000 and the end", said, err)
						}
						p.conn.Close()
					})
				}
				p.ours.Close(CloseStatus{Code: 1000})
				for { // as the read pump does
					if _, err := readMessage(p.ours); err != nil {
						break
					}
				}
				if took := time.Since(began); took != c.want {
					t.Errorf("it took %v, want %v", took, c.want)
				}
				p.ours.Release()
				peer.Wait()
			})
		})
	}
}
