package cluster

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// Changes of the peer book by an operator. Each is a record with the stamp of a hybrid clock; of two for one subject
// every member keeps the later.
//
//	Apply ──▶ on disk here ──kindBookPut──▶ each other member ──kindBookDone──▶ on disk there
//	heartbeat with another sum of all records ──▶ kindBookSumsAsk ──▶ for each shelf that differs: kindBookAsk, pages
//
// While a member knows that its records differ from those of another, it admits no peer, for two seconds at most.
const (
	putWithin = 2 * time.Second        // for one member to confirm a part of a change
	putAgain  = 500 * time.Millisecond // after which an unconfirmed change is sent again
	behindFor = lostAfter              // for this long no claim is granted
)

// Causes for which a member does not confirm a change.
var (
	errMemberLost = errors.New("nothing is heard of it")
	errNoAnswer   = errors.New("it does not answer")
)

// Apply implements supervisor.ClusterBook.
func (e *Engine) Apply(ctx context.Context, change supervisor.BookChange) error {
	members := e.Members()
	if len(members) == 0 {
		return ErrLeft
	}
	local := e.localBook()
	records, err := local.EnterChange(change, local.Clock().Add(time.Duration(e.slowest.Load())))
	if err != nil {
		return err
	}
	var (
		mu     sync.Mutex
		failed []supervisor.MemberFault
		all    sync.WaitGroup
	)
	for _, m := range members {
		if m.Self {
			continue
		}
		all.Go(func() {
			err := errMemberLost
			if m.State != supervisor.MemberLost {
				err = e.putRecords(ctx, m.Name, records)
			}
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = append(failed, supervisor.MemberFault{Member: m.Name, Err: err})
			}
		})
	}
	all.Wait()
	if len(failed) == 0 {
		return nil
	}
	return supervisor.NewMembersError(failed)
}

// putRecords returns when records are on disk at a member.
func (e *Engine) putRecords(ctx context.Context, member string, records []supervisor.BookRecord) error {
	for part := range slices.Chunk(records, maxRecords) {
		if err := e.putPart(ctx, member, part); err != nil {
			return err
		}
	}
	return nil
}

// putPart repeats a part of a change until the member confirms it.
func (e *Engine) putPart(ctx context.Context, member string, part []supervisor.BookRecord) error {
	ctx, cancel := context.WithTimeout(ctx, putWithin)
	defer cancel()
	for {
		answer, err := e.askBook(ctx, member, kindBookPut, bookMessage{records: part}, putAgain)
		switch {
		case err == nil && answer.kind == kindBookDone && answer.book.fault == "":
			return nil
		case err == nil && answer.book.fault != "":
			return errors.New(answer.book.fault)
		case err == nil:
			return errMessage
		case errors.Is(err, ErrNoResponders) || ctx.Err() != nil:
			return errNoAnswer
		case !errors.Is(err, context.DeadlineExceeded):
			return err
		}
	}
}

// askBook asks a member about the peer book.
func (e *Engine) askBook(
	ctx context.Context, member string, kind kind, body bookMessage, within time.Duration,
) (*message, error) {
	if !e.exchanges.begin() {
		return nil, ErrLeft
	}
	defer e.exchanges.done()
	ctx, cancel := e.exchanges.limit(ctx, within)
	defer cancel()
	return e.request(ctx, member, "book", &message{head: e.head(kind), book: body})
}

// onBook answers the question of another member on a goroutine of its own: records must be on disk first.
func (e *Engine) onBook(d Delivery) {
	if d.Respond == nil || !e.exchanges.begin() {
		e.refused()
		return
	}
	go func() {
		defer e.exchanges.done()
		defer e.contain()
		ask, err := decode(d.Body)
		if err != nil {
			e.dropped(err)
			return
		}
		local := e.localBook()
		var answer message
		switch ask.kind {
		case kindBookPut:
			answer.head = e.head(kindBookDone)
			if err := local.MergeRecords(ask.book.records); err != nil {
				answer.book.fault = err.Error()
			}
		case kindBookSumsAsk:
			sums := local.RecordSums()
			answer.head, answer.book.sums = e.head(kindBookSums), sums[:]
		case kindBookAsk:
			answer.head = e.head(kindBookPage)
			answer.book.records = local.Records(ask.book.shelf, ask.book.after, maxRecords)
		default:
			e.unknown()
			return
		}
		d.Respond(answer.encode())
	}()
}

// compareBook begins to fetch the records of a member whose heartbeat carries another sum.
func (c *coordinator) compareBook(m *member) {
	if m.beat.book == c.local.RecordDigest() {
		m.behind = time.Time{}
		return
	}
	now := c.now()
	if m.behind.IsZero() {
		m.behind = now
	}
	if m.fetching || now.Before(m.fetchAt) || !c.engine.exchanges.begin() {
		return
	}
	m.fetching = true
	go func() {
		defer c.engine.exchanges.done()
		err := c.engine.fetchRecords(m.name)
		c.engine.tell(&bookFetched{m, err})
	}()
}

// fetchRecords merges the records of a member that are not here.
func (e *Engine) fetchRecords(member string) error {
	answer, err := e.askBook(e.exchanges.ctx, member, kindBookSumsAsk, bookMessage{}, fetchTimeout)
	if err != nil {
		return err
	}
	if len(answer.book.sums) != recordShelves {
		return errMessage
	}
	local := e.localBook()
	own := local.RecordSums()
	for shelf := range own {
		if own[shelf] == answer.book.sums[shelf] {
			continue
		}
		if err := e.fetchShelf(member, byte(shelf), local); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) fetchShelf(member string, shelf byte, local supervisor.ClusterLocal) error {
	after := ""
	for range maxShelfPages {
		page, err := e.askBook(e.exchanges.ctx, member, kindBookAsk, bookMessage{shelf: shelf, after: after}, fetchTimeout)
		if err != nil {
			return err
		}
		records := page.book.records
		if err := local.MergeRecords(records); err != nil {
			return err
		}
		if len(records) < maxRecords {
			return nil
		}
		last := records[len(records)-1].Key()
		if last <= after {
			return errMessage
		}
		after = last
	}
	return errMessage
}

// onBookFetched ends the fetch of a member's records.
func (c *coordinator) onBookFetched(msg *bookFetched) {
	m := msg.member
	m.fetching = false
	if msg.err != nil {
		m.fetchAt = c.now().Add(fetchAgain)
		c.engine.opts.Log.Warn("changes of the peer book by another member were not taken over: they are fetched again",
			"name", m.name, "error", msg.err)
		return
	}
	m.behind = time.Time{}
	c.retryClaims()
	c.considerJoin()
}

// behind reports whether this member must take over records of another one before it admits a peer.
func (c *coordinator) behind() bool {
	for _, m := range c.directory.members {
		if !m.lost && c.now().Sub(m.behind) < behindFor {
			return true
		}
	}
	return false
}

// compareClock notes by how much the slowest clock of the other members is behind that of this one. Changes are stamped
// by it, so that no member refuses them as stamped ahead of its clock.
func (c *coordinator) compareClock(m *member) {
	m.ahead = time.Duration(m.beat.clock - c.local.Clock().UnixNano())
	if m.ahead > -time.Second {
		m.ahead = 0 // the delay of the heartbeat
	}
	slowest := time.Duration(0)
	for _, m := range c.directory.members {
		slowest = min(slowest, m.ahead)
	}
	c.engine.slowest.Store(int64(slowest))
}

// localBook returns the member's own side, or nil before Join.
func (e *Engine) localBook() supervisor.ClusterLocal {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.local
}
