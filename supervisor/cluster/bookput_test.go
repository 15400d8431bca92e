package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// scriptedBus answers the requests of a member. It keeps the questions.
type scriptedBus struct {
	Bus
	answer func(ask *message, number int) (*message, error) // no message: it never answers

	mu   sync.Mutex
	asks []*message
}

func (b *scriptedBus) Request(ctx context.Context, _ string, body []byte) ([]byte, error) {
	ask, err := decode(body)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	b.asks = append(b.asks, ask)
	number := len(b.asks)
	b.mu.Unlock()
	answer, err := b.answer(ask, number)
	if answer == nil && err == nil {
		<-ctx.Done()
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return answer.encode(), nil
}

// shelf is a member's book without a disk.
type shelf struct {
	recordingLocal
	merged []supervisor.BookRecord
	fail   error // of MergeRecords
}

func (s *shelf) MergeRecords(list []supervisor.BookRecord) error {
	s.merged = append(s.merged, list...)
	return s.fail
}

func (*shelf) RecordSums() (sums [recordShelves]uint64) {
	sums[7] = 70
	return sums
}

func (*shelf) Records(shelf byte, after string, n int) []supervisor.BookRecord {
	return []supervisor.BookRecord{{Kind: 'n', Subject: fmt.Sprintf("%d %s %d", shelf, after, n)}}
}

func bookRecords(n int) []supervisor.BookRecord {
	list := make([]supervisor.BookRecord, n)
	for i := range list {
		list[i] = supervisor.BookRecord{Kind: 'n', Subject: fmt.Sprintf("peer%05d", i), Stamp: 1}
	}
	return list
}

// Records reach a member in messages that it decodes. One without an answer is repeated every 500 ms.
func TestPutEndsWithTheAnswerOfTheMember(t *testing.T) {
	done, other := message{head: head{kindBookDone, "b", 7}}, message{head: head{kindBookPage, "b", 7}}
	fault := done
	fault.book.fault = "the disk is full"
	for name, row := range map[string]struct {
		answer func(number int) (*message, error)
		want   string
		sizes  []int // records in each question
		took   time.Duration
	}{
		"confirmed":      {func(int) (*message, error) { return &done, nil }, "", []int{256, 1}, 0},
		"refused":        {func(int) (*message, error) { return &fault, nil }, "the disk is full", []int{256}, 0},
		"another answer": {func(int) (*message, error) { return &other, nil }, errMessage.Error(), []int{256}, 0},
		"ended":          {func(int) (*message, error) { return nil, ErrNoResponders }, errNoAnswer.Error(), []int{256}, 0},
		"cut off":        {func(int) (*message, error) { return nil, ErrDetached }, ErrDetached.Error(), []int{256}, 0},
		"silent": {
			func(int) (*message, error) { return nil, nil }, errNoAnswer.Error(),
			[]int{256, 256, 256, 256},
			1750 * time.Millisecond,
		},
		"late": {func(number int) (*message, error) {
			if number < 3 {
				return nil, nil
			}
			return &done, nil
		}, "", []int{256, 256, 256, 1}, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			bus := &scriptedBus{answer: func(_ *message, number int) (*message, error) { return row.answer(number) }}
			r.engine.bus = bus
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 1750*time.Millisecond)
			defer cancel()
			got := ""
			if err := r.engine.putRecords(ctx, "b", bookRecords(maxRecords+1)); err != nil {
				got = err.Error()
			}
			var sizes []int
			for _, ask := range bus.asks {
				sizes = append(sizes, len(ask.book.records))
			}
			if took := time.Since(began); got != row.want || took != row.took || !slices.Equal(sizes, row.sizes) {
				t.Errorf("%s: error %q in %v after %d records, want %q in %v after %d",
					name, got, took, sizes, row.want, row.took, row.sizes)
			}
		})
	}
}

// A member answers a question about its book once it is on disk, and other messages not at all.
func TestQuestionsAboutTheBookAreAnswered(t *testing.T) {
	from := head{boot: 7, from: "b"}
	ask := func(kind kind, body bookMessage) *message {
		h := from
		h.kind = kind
		return &message{head: h, book: body}
	}
	put := ask(kindBookPut, bookMessage{records: bookRecords(2)})
	for name, row := range map[string]struct {
		ask  *message
		fail error
		want string // kind and contents
	}{
		"put":         {put, nil, fmt.Sprint(kindBookDone, " 2 merged")},
		"put in vain": {put, errNoAnswer, fmt.Sprint(kindBookDone, " 2 merged ", errNoAnswer)},
		"sums":        {ask(kindBookSumsAsk, bookMessage{}), nil, fmt.Sprint(kindBookSums, " sum 70")},
		"page":        {ask(kindBookAsk, bookMessage{shelf: 9, after: "k"}), nil, fmt.Sprint(kindBookPage, " 9 k 256")},
		"no question": {ask(kindBookDone, bookMessage{}), nil, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			local := &shelf{recordingLocal: *r.log, fail: row.fail}
			r.engine.local = local
			got := ""
			r.engine.onBook(Delivery{Body: row.ask.encode(), Respond: func(body []byte) {
				answer, err := decode(body)
				if err != nil {
					t.Fatal(err)
				}
				got = fmt.Sprint(answer.kind)
				if len(local.merged) > 0 {
					got += fmt.Sprintf(" %d merged", len(local.merged))
				}
				if answer.book.fault != "" {
					got += " " + answer.book.fault
				}
				if answer.book.sums != nil {
					got += fmt.Sprint(" sum ", answer.book.sums[7])
				}
				for _, r := range answer.book.records {
					got += " " + r.Subject
				}
			}})
			synctest.Wait()
			if got != row.want {
				t.Errorf("%s: answer %q, want %q", name, got, row.want)
			}
		})
	}
}

// The shelves that differ are fetched, each to its end, until one cannot be.
func TestFetchAsksForEachShelfThatDiffers(t *testing.T) {
	sums := make([]uint64, recordShelves)
	sums[3], sums[7], sums[200] = 1, 70, 1 // the own book has 70 on shelf 7
	full := errors.New("the disk is full")
	for name, row := range map[string]struct {
		first kind // of the first answer
		fail  error
		want  error
		asked []byte // shelves
	}{
		"all":                 {kindBookSums, nil, nil, []byte{3, 200}},
		"a full disk":         {kindBookSums, full, full, []byte{3}},
		"no sums of the book": {kindBookDone, nil, errMessage, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			r.engine.local = &shelf{recordingLocal: *r.log, fail: row.fail}
			bus := &scriptedBus{answer: func(ask *message, number int) (*message, error) {
				if number == 1 {
					return &message{head: head{row.first, "b", 7}, book: bookMessage{sums: sums}}, nil
				}
				return &message{head: head{kindBookPage, "b", 7}, book: bookMessage{records: bookRecords(1)}}, nil
			}}
			r.engine.bus = bus
			err := r.engine.fetchRecords("b")
			var asked []byte
			for _, ask := range bus.asks[1:] {
				asked = append(asked, ask.book.shelf)
			}
			if !errors.Is(err, row.want) || !slices.Equal(asked, row.asked) {
				t.Errorf("%s: error %v after the shelves %d, want %v after %d", name, err, asked, row.want, row.asked)
			}
		})
	}
}
