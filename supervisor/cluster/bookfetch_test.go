package cluster

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// repeating is a bus on which every member answers each request with the same message.
type repeating struct {
	Bus
	answer message
	asked  int
	most   int  // 0: 10
	grows  bool // each page has later subjects
}

func (b *repeating) Request(context.Context, string, []byte) ([]byte, error) {
	b.asked++
	if b.asked > max(b.most, 10) {
		return nil, ErrNoResponders
	}
	if b.grows {
		b.answer.book.records[maxRecords-1].Subject = fmt.Sprintf("peer%09d", b.asked)
	}
	return b.answer.encode(), nil
}

// merging is a member that takes over every record.
type merging struct{ supervisor.ClusterLocal }

func (merging) MergeRecords([]supervisor.BookRecord) error { return nil }

// A member that repeats a full page does not keep another one busy without end.
func TestFetchEndsAtARepeatedPage(t *testing.T) {
	bus := &repeating{answer: message{head: head{kindBookPage, "b", 7}}}
	for i := range maxRecords {
		bus.answer.book.records = append(bus.answer.book.records, supervisor.BookRecord{
			Kind: 'n', Subject: fmt.Sprint("peer", 1000+i), Stamp: uint64(time.Now().UnixNano()),
		})
	}
	e := New(bus, Options{Name: "a", NodeID: "node", Boot: 1})
	if err := e.fetchShelf("b", 0, merging{}); !errors.Is(err, errMessage) || bus.asked != 2 {
		t.Errorf("%v after %d questions, want %v after 2", err, bus.asked, errMessage)
	}
}

// The fetch of a shelf whose pages never end stops after maxShelfPages.
func TestFetchEndsAfterTheLargestShelf(t *testing.T) {
	bus := &repeating{answer: message{head: head{kindBookPage, "b", 7}}, grows: true, most: 2 * maxShelfPages}
	bus.answer.book.records = make([]supervisor.BookRecord, maxRecords)
	e := New(bus, Options{Name: "a", NodeID: "node", Boot: 1})
	if err := e.fetchShelf("b", 0, merging{}); !errors.Is(err, errMessage) || bus.asked != maxShelfPages {
		t.Errorf("%v after %d questions, want %v after %d", err, bus.asked, errMessage, maxShelfPages)
	}
}
