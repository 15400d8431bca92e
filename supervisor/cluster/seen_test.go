package cluster_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/dedup"
	"github.com/Snider/go-p2p/wire"
)

// seenWindow is the dedup window of the members.
const seenWindow = 5 * time.Minute

// newSet gives a member its set of seen messages.
func (p *process) newSet(t testing.TB) {
	p.set = memberSet(t, 1<<16)
	p.set.Judge(seenWindow, func(now time.Time) time.Time { return now.Add(p.skew) })
}

// memberSet returns a set with the secret that the members share.
func memberSet(t testing.TB, limit int) *dedup.Set {
	set, err := dedup.New(seenWindow, limit, limit, time.Now(), bytes.NewReader(make([]byte, 16)))
	if err == nil {
		err = set.ShareSecret(make([]byte, 32))
	}
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Seen implements supervisor.ClusterLocal.
func (p *process) Seen(member string, d dedup.Digest) actors.Verdict {
	return p.set.Member(member).SeenDigest(d, time.Now())
}

// TakeToken implements supervisor.ClusterLocal.
func (p *process) TakeToken(string) bool { return true }

// SeenWindow implements supervisor.ClusterLocal.
func (p *process) SeenWindow() time.Duration { return p.set.Window() }

// Clock implements supervisor.ClusterLocal.
func (p *process) Clock() time.Time { return time.Now().Add(p.skew) }

// ExportSeen implements supervisor.ClusterLocal.
func (p *process) ExportSeen(page func([]byte) bool) { p.set.Export(time.Now())(page) }

// ImportSeen implements supervisor.ClusterLocal.
func (p *process) ImportSeen(member string, page []byte) bool {
	return p.set.Import(member, page, time.Now())
}

// receive processes a message of an author that a peer has sent to this member, as a connection does. It returns the
// verdict and whether the message is delivered.
func (p *process) receive(peer string, msg *wire.Message) (actors.Verdict, bool) {
	account := p.set.Join(peer, "")
	defer account.Leave()
	digest := account.Digest(msg, time.Now())
	check := &supervisor.SeenCheck{Author: msg.From, Digest: digest, Stamp: msg.Timestamp}
	rule := p.engine.Judge(msg.From, msg.Timestamp, false)
	switch rule {
	case supervisor.SeenStale:
		return actors.Stale, false
	case supervisor.SeenHere, supervisor.SeenHereThen:
		if v := account.SeenDigest(digest, time.Now()); v != actors.Fresh || rule == supervisor.SeenHere {
			return v, v == actors.Fresh
		}
		check.Here = true
	case supervisor.SeenAsk:
		if v := account.KnownDigest(digest, time.Now()); v != actors.Fresh {
			return v, false
		}
	}
	p.engine.CheckSeen([]*supervisor.SeenCheck{check}, time.Now().Add(250*time.Millisecond))
	if v := check.Verdict; v != actors.Fresh && v != actors.Unanswered {
		return v, false
	}
	if !check.Here && account.SeenDigest(digest, time.Now()) != actors.Fresh {
		return actors.Duplicate, false
	}
	return check.Verdict, true
}

func (w *world) message(id, author string) *wire.Message {
	return &wire.Message{ID: id, Type: "text", From: author, To: "node", Timestamp: time.Now(), Payload: []byte(`1`)}
}

// expectReceived has a member receive a message and compares the verdict.
func (w *world) expectReceived(step, member, peer string, msg *wire.Message, want actors.Verdict) {
	w.t.Helper()
	if got, _ := w.members[member].receive(peer, msg); got != want {
		w.t.Errorf("%s: verdict %v at %s, want %v", step, got, member, want)
	}
}

// receiveFromEach has a member receive a new message of each author, from a relay.
func (w *world) receiveFromEach(member string, authors []string) map[string]*wire.Message {
	w.t.Helper()
	messages := make(map[string]*wire.Message, len(authors))
	for _, author := range authors {
		messages[author] = w.message(author, author)
		w.expectReceived("before", member, "relay", messages[author], actors.Fresh)
	}
	return messages
}

// settle waits until all members know all claims.
func settle() { time.Sleep(20 * time.Millisecond) }

func TestHomeOfTheAuthorDecides(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		w.members["a"].connect("author")
		settle()
		direct, relayed := w.message("1", "author"), w.message("2", "author")
		w.expectReceived("direct", "a", "author", direct, actors.Fresh)
		w.expectReceived("the same through a relay", "b", "relay", direct, actors.Duplicate)
		w.expectReceived("relayed first", "b", "relay", relayed, actors.Fresh)
		w.expectReceived("through another relay", "c", "other", relayed, actors.Duplicate)
		w.expectReceived("direct after that", "a", "author", relayed, actors.Duplicate)
		w.expectReceived("again", "b", "relay", relayed, actors.Duplicate)
	})
}

// Copies of a message that reach all members at the same moment are delivered once, with and without a home of the
// author.
func TestCopiesAtOnceAreDeliveredOnce(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		w.members["a"].connect("author0")
		settle()
		for i := range 100 {
			msg := w.message(fmt.Sprint(i), fmt.Sprintf("author%d", i%10))
			var receiving sync.WaitGroup
			delivered := make(chan string, 6)
			for _, name := range []string{"a", "b", "c"} {
				for _, peer := range []string{"relay", "other"} {
					receiving.Go(func() {
						if _, ok := w.members[name].receive(peer, msg); ok {
							delivered <- name
						}
					})
				}
			}
			receiving.Wait()
			if len(delivered) != 1 {
				t.Errorf("message %d was delivered %d times", i, len(delivered))
			}
		}
	})
}

// A peer that was never held elsewhere needs no check, and one that has moved needs none one window later.
func TestSettledPeerNeedsNoCheck(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		rule := func(step, member, peer string, want supervisor.SeenRule) {
			t.Helper()
			p := w.members[member]
			now := time.Now()
			settled := p.engine.Author(peer).Settled(now)
			p.engine.DropAuthor(peer)
			if got := p.engine.Judge(peer, now, false); got != want || settled != (want == supervisor.SeenHere) {
				t.Errorf("%s: rule %v, settled %v, want rule %v", step, got, settled, want)
			}
		}
		for _, peer := range peerNames(20) {
			w.members["a"].connect(peer)
			time.Sleep(20 * time.Millisecond)
			rule("new", "a", peer, supervisor.SeenHere)
			rule("elsewhere", "b", peer, supervisor.SeenAsk)
		}
		peer := "peer00000"
		w.members["b"].connect(peer)
		time.Sleep(20 * time.Millisecond)
		rule("moved", "b", peer, supervisor.SeenHereThen)
		rule("gone", "a", peer, supervisor.SeenAsk)
		time.Sleep(seenWindow + time.Second)
		rule("one window later", "b", peer, supervisor.SeenHere)
		w.members["b"].disconnect(peer)
		settle()
		w.members["b"].connect(peer)
		settle()
		rule("back at the same member", "b", peer, supervisor.SeenHere)
	})
}

func TestNewHomeAsksTheFormerOne(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		for name, leave := range map[string]func(peer string){
			"moved":       func(peer string) { w.members["b"].connect(peer) },
			"reconnected": func(peer string) { w.members["a"].disconnect(peer); settle(); w.members["b"].connect(peer) },
			"nowhere":     func(peer string) { w.members["a"].disconnect(peer) },
		} {
			w.members["a"].connect(name)
			settle()
			msg, later := w.message(name, name), w.message(name+" later", name)
			w.expectReceived(name, "a", name, msg, actors.Fresh)
			leave(name)
			settle()
			for _, at := range []string{"b", "c"} {
				w.expectReceived(name+", delivered before", at, "relay", msg, actors.Duplicate)
			}
			w.expectReceived(name+", direct", "b", name, msg, actors.Duplicate)
			w.expectReceived(name+", new", "b", name, later, actors.Fresh)
			w.expectReceived(name+", new, again", "c", "relay", later, actors.Duplicate)
		}
	})
}

// Messages of an author that was connected nowhere are known when it connects.
func TestHomeAsksTheKeeper(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		for _, author := range peerNames(12) {
			msg := w.message(author, author)
			w.expectReceived("nowhere", "c", "relay", msg, actors.Fresh)
			w.members["a"].connect(author)
			settle()
			w.expectReceived("direct", "a", author, msg, actors.Duplicate)
			w.expectReceived("relayed", "b", "relay", msg, actors.Duplicate)
		}
	})
}

// A member that joins becomes the keeper of some authors, which others have kept before.
func TestNewMemberAsksTheKeeperBefore(t *testing.T) {
	inWorld(t, "a b", func(t *testing.T, w *world) {
		authors := peerNames(30)
		messages := w.receiveFromEach("a", authors)
		w.start("c")
		for _, author := range authors {
			w.expectReceived("after the join", "c", "relay", messages[author], actors.Duplicate)
			w.expectReceived("after the join", "b", "relay", messages[author], actors.Duplicate)
		}
		w.members["c"].connect(authors[0])
		w.expectReceived("direct", "c", authors[0], messages[authors[0]], actors.Duplicate)
	})
}
