package peerbook

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// TestForgetsAreBounded forgets more peers than the book keeps records of, in two books in another order: both keep the
// latest ones, in memory and on disk, and forget nothing anew when they are merged.
func TestForgetsAreBounded(t *testing.T) {
	const most = maxForgets + 500
	now := noon
	var list []Record
	for n := range most {
		stamp := uint64(now.UnixNano()) - uint64(most-n/2)
		list = append(list, Record{Kind: RecordForget, Subject: fmt.Sprint(n), Stamp: stamp})
	}
	path := filepath.Join(t.TempDir(), "peers.db")
	first, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	second := New()
	for n := 0; n < most; n += 100 {
		part := list[n:min(n+100, most)]
		merge(t, first, part...)
		merge(t, second, list[max(most-n-100, 0):most-n]...)
	}
	equal := first.RecordSums() == second.RecordSums()
	if first.records.forgets != maxForgets || !equal {
		t.Errorf("%d records, want %d; equal: %v", first.records.forgets, maxForgets, equal)
	}
	first.Add(Peer{ID: "0", LastSeen: now.Add(time.Hour)})
	sums := first.RecordSums()
	merge(t, first, list[:100]...)
	if _, known := first.Get("0"); !known || first.RecordSums() != sums {
		t.Error("an early record changes the book")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.records.forgets != maxForgets || again.RecordSums() != sums {
		t.Errorf("%d records on disk, want %d", again.records.forgets, maxForgets)
	}
}
