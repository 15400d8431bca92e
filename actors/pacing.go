package actors

import (
	"context"
	"errors"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// Pacing keeps this node below the inbound limit that the peer announced (protocol section 7), since the peer drops
// every frame above it without telling the sender.
//
//	push → waiting ──pace──▶ socket          ping, pong, disconnect and the handshake never wait for a token
//	          └──no token──▶ held ──timer──▶ socket
//
// Application messages without a token wait in the outbox, in order and within its limits. The writer does not run
// meanwhile, so the wait is no stall.

// ErrPaced means that the message waited for the peer's rate limit for the length of the write timeout. It was
// withdrawn and not sent.
var ErrPaced = errors.New("the message waited too long for the peer's rate limit and was not sent: " +
	"send fewer messages, give Send a context with more time, or use Post")

// pacing is the pacing state of one outbox, guarded by the outbox's lock.
type pacing struct {
	bucket *SendBucket
	limit  sendLimit
	held   *batch[*frame] // application messages without a token; nil: none
	timer  *time.Timer    // starts the writer again; nil before the first wait
}

// pace enables pacing to the peer's announced limit. A refill of 0 means no limit.
func (h *Handle) pace(rate wire.Rate) {
	if rate.Refill == 0 {
		return
	}
	limit := sendLimit{burst: int32(rate.Burst), milli: int32(rate.Refill*1000 + 0.5)}
	bucket := &SendBucket{tokens: h.startTokens(limit), at: time.Since(h.node.Born)}
	h.outbox.mu.Lock()
	defer h.outbox.mu.Unlock()
	h.outbox.pacing = &pacing{limit: limit, bucket: bucket}
	h.paced.Store(!h.node.Limits.PaceOff)
}

// startTokens returns the tokens of a new bucket: half of the burst when pacing, since the previous process of this
// node may have used the other half.
func (h *Handle) startTokens(limit sendLimit) float64 {
	if h.node.Limits.PaceOff {
		return float64(limit.burst)
	}
	return float64(limit.burst) / 2
}

// paced reports whether the frame needs a token before it is written.
func (f *frame) paced() bool { return !f.own && !f.unpaced }

// hold keeps a frame back if earlier frames wait for tokens, to preserve their order. The caller holds o.mu.
func (o *outbox) hold(f *frame) bool {
	if o.pacing == nil || o.pacing.held == nil || o.flushing || !f.paced() && !f.ordered {
		return false
	}
	o.pacing.held = outbounds.append(o.pacing.held, f)
	return true
}

// pace returns the frames of taken and of the held ones that the writer may write now, and sets the timer if frames
// remain held. taken and the result may be nil. The caller holds o.mu.
func (o *outbox) pace(taken *batch[*frame]) *batch[*frame] {
	p := o.pacing
	if p == nil || taken == nil && p.held == nil {
		return taken
	}
	b := p.bucket
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Since(o.node.Born)
	if o.node.Limits.PaceOff || o.flushing {
		b.advance(p.limit, 1, now)
		all := join(p.held, taken)
		p.held = nil
		o.countOver(all.items)
		return all
	}
	b.advance(p.limit, marginRefill, now)
	admitted := join(p.release(), p.filter(taken))
	if p.held != nil {
		o.resumeAfter(b.wait(p.limit))
	}
	return admitted
}

// release returns the held frames for which there are tokens, in order.
func (p *pacing) release() *batch[*frame] {
	if p.held == nil {
		return nil
	}
	items, n := p.held.items, 0
	for n < len(items) && p.bucket.take(marginTokens) {
		n++
	}
	if n == len(items) {
		all := p.held
		p.held = nil
		return all
	}
	var released *batch[*frame]
	for _, f := range items[:n] {
		released = outbounds.append(released, f)
	}
	left := copy(items, items[n:])
	clear(items[left:])
	p.held.items = items[:left]
	return released
}

// filter moves frames of taken that need a token and get none to the held frames, and returns the others.
func (p *pacing) filter(taken *batch[*frame]) *batch[*frame] {
	if taken == nil {
		return nil
	}
	items, kept := taken.items, 0
	for _, f := range items {
		switch {
		case f.ordered && p.held != nil:
			p.held = outbounds.append(p.held, f)
			continue
		case !f.paced():
			if limited(f) {
				p.bucket.owe(p.limit)
			}
		case p.held != nil || !p.bucket.take(marginTokens):
			p.held = outbounds.append(p.held, f)
			continue
		}
		items[kept] = f
		kept++
	}
	clear(items[kept:])
	if taken.items = items[:kept]; kept == 0 {
		outbounds.put(taken)
		return nil
	}
	return taken
}

// limited reports whether the peer's limiter counts the frame. It does not count the handshake (text) and a bare
// close.
func limited(f *frame) bool { return !f.text && len(f.data) > 0 }

// countOver counts the application messages above the peer's limit among frames that are written without waiting,
// because pacing is off or the connection ends.
func (o *outbox) countOver(written []*frame) {
	over := 0
	for _, f := range written {
		if limited(f) && !o.pacing.bucket.take(0) && f.paced() {
			over++
		}
	}
	if over > 0 {
		o.node.Counters.Add(MessagesOverPeerRate, over)
		o.node.LimitedLog.Warn("messages sent above the rate limit of a peer: it drops them", "messages", over)
	}
}

// join returns the frames of two batches in order. Either may be nil.
func join(first, second *batch[*frame]) *batch[*frame] {
	if first == nil || second == nil {
		if first == nil {
			return second
		}
		return first
	}
	first.items = append(first.items, second.items...)
	outbounds.put(second)
	return first
}

// resumeAfter sets the timer that starts the writer again. The caller holds o.mu.
func (o *outbox) resumeAfter(wait time.Duration) {
	if o.pacing.timer == nil {
		o.pacing.timer = time.AfterFunc(wait, o.resume)
		return
	}
	o.pacing.timer.Reset(wait)
}

// resume starts the writer for the held frames. A running writer looks at them itself.
func (o *outbox) resume() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed && o.pacing.held != nil && o.start(o) {
		o.host.startWriter(o.work) // under the lock: no writer may start after close
	}
}

// stopPacing stops the timer and returns the held frames. The caller holds o.mu.
func (o *outbox) stopPacing() *batch[*frame] {
	p := o.pacing
	if p == nil {
		return nil
	}
	if p.timer != nil {
		p.timer.Stop()
	}
	held := p.held
	p.held = nil
	return held
}

// withdraw removes the held frame whose sender waits on result. It returns false if there is none: the frame is being
// written, or its result is known.
func (o *outbox) withdraw(result Result) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pacing == nil || o.pacing.held == nil {
		return false
	}
	items := o.pacing.held.items
	for i, f := range items {
		if f.result != result {
			continue
		}
		left := i + copy(items[i:], items[i+1:])
		clear(items[left:])
		if o.pacing.held.items = items[:left]; left == 0 {
			outbounds.put(o.pacing.held)
			o.pacing.held = nil
		}
		o.messages--
		o.discharge(f.charged)
		o.node.frames.put(f)
		return true
	}
	return false
}

// await returns the result of a posted message. If ctx ends while the message waits for tokens, the message is
// withdrawn. With a ctx that cannot end, a message waits for tokens at most for the write timeout.
func (h *Handle) await(ctx context.Context, result resultChan) (err error, resolved bool) {
	var late <-chan time.Time
	if ctx.Done() == nil && h.paced.Load() {
		ticker := time.NewTicker(h.node.Limits.WriteTimeout) // repeats: a busy writer may hold the message later
		defer ticker.Stop()
		late = ticker.C
	}
	for {
		select {
		case err := <-result:
			return err, true
		case <-late:
			if h.outbox.withdraw(result) {
				return ErrPaced, true
			}
		case <-ctx.Done():
			return ctx.Err(), h.outbox.withdraw(result)
		case <-h.Done():
			select {
			case err := <-result: // the result came before the end
				return err, true
			default:
				return ErrClosed, false
			}
		}
	}
}
