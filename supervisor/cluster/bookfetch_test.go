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
}

func (b *repeating) Request(context.Context, string, []byte) ([]byte, error) {
	b.asked++
	if b.asked > 10 {
		return nil, ErrNoResponders
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
