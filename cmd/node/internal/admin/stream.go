package admin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// sendTimeout limits one write to a viewer. The next write contains everything that the viewer missed.
const sendTimeout = 5 * time.Second

// streams sends the samples of the monitor to viewers, as server-sent events:
//
//	hello  first: identity of the node, history, labels of the drop reasons
//	tick   every second: a view; the first has all peers, further ones only the changes of peers
//	log    an entry of the journal; a new viewer gets all stored entries
//	bye    the node stops
//
// Nothing is queued for a viewer: one that reads too slowly misses ticks, and then gets one with all peers, and entries
// only once the journal has overwritten them. The number of viewers is limited, see viewers.
type streams struct {
	monitor  *monitor
	version  string
	instance string // random, new at each start of the node
	viewers  viewers
	closing  chan struct{}
	close    func() // sends bye to every viewer
}

// streamStay is how long an event stream is open before it may be ended for a new one.
const streamStay = time.Minute

func newStreams(m *monitor, version string) *streams {
	closing := make(chan struct{})
	return &streams{
		monitor: m, version: version, instance: rand.Text(), closing: closing,
		viewers: viewers{limit: maxViewers, stay: streamStay},
		close:   sync.OnceFunc(func() { close(closing) }),
	}
}

// hello is the first event of a stream.
type hello struct {
	Instance string              `json:"instance"`
	Version  string              `json:"version"`
	Identity crypto.NodeIdentity `json:"identity"`
	History  []row               `json:"history"`
	Drops    []reasonView        `json:"drops"`
}

type reasonView struct {
	Counter string `json:"counter"`
	Label   string `json:"label"`
}

// ServeHTTP implements http.Handler.
func (s *streams) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		h.Set("Content-Type", "text/event-stream")
		return
	}
	ctx, end := context.WithCancel(r.Context())
	defer end()
	seat := s.viewers.enter(time.Now(), end)
	if seat == nil {
		h.Set("Retry-After", "5")
		http.Error(w, "too many dashboards are open", http.StatusServiceUnavailable)
		return
	}
	defer s.viewers.leave(seat)
	s.monitor.watch(1)
	defer s.monitor.watch(-1)
	h.Set("Content-Type", "text/event-stream")
	v := &viewer{w: w, control: http.NewResponseController(w)}
	// The server's read timeout is meant for requests that end.
	if err := v.control.SetReadDeadline(time.Time{}); err != nil {
		http.Error(w, "this connection cannot stream", http.StatusInternalServerError)
		return
	}
	s.serve(ctx, v)
}

// serve sends events until the viewer leaves or the server closes.
func (s *streams) serve(ctx context.Context, v *viewer) {
	identity := s.monitor.node.Identity()
	first := hello{Instance: s.instance, Version: s.version, Identity: identity, History: s.monitor.past()}
	for _, d := range dropReasons() {
		first.Drops = append(first.Drops, reasonView{Counter: d.counter, Label: d.label})
	}
	v.begin()
	v.send("hello", encode(first))
	var seq, seen uint64
	for {
		latest, changed := s.monitor.news()
		if latest != nil {
			v.begin()
			v.send("tick", latest.since(seen))
			seen = latest.seq
		}
		for _, e := range s.monitor.journal.since(seq) {
			v.send("log", encode(e))
			seq = e.Seq
		}
		if v.flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		case <-s.closing:
			v.begin()
			v.send("bye", []byte("{}"))
			_ = v.flush() // the stream ends either way
			return
		}
	}
}

// viewer is one stream. After an error it writes nothing more, and flush returns the error.
type viewer struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error
}

// begin sets the deadline of the writes until the next flush.
func (v *viewer) begin() {
	if v.err == nil {
		v.err = v.control.SetWriteDeadline(time.Now().Add(sendTimeout))
	}
}

func (v *viewer) send(event string, data []byte) {
	for _, part := range [][]byte{[]byte("event: " + event + "\ndata: "), data, []byte("\n\n")} {
		if v.err == nil {
			_, v.err = v.w.Write(part)
		}
	}
}

func (v *viewer) flush() error {
	if v.err == nil {
		v.err = v.control.Flush()
	}
	return v.err
}

// encode returns JSON on one line, as the data of an event must be.
func encode(value any) []byte {
	text, _ := json.Marshal(value) // only numbers and strings: cannot fail
	return text
}
