package cluster_test

import (
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/peerbook"
)

// EnterChange implements supervisor.ClusterLocal.
func (p *process) EnterChange(change supervisor.BookChange, at time.Time) ([]supervisor.BookRecord, error) {
	return p.book.Enter(change, at)
}

// MergeRecords implements supervisor.ClusterLocal.
func (p *process) MergeRecords(list []supervisor.BookRecord) error {
	_, err := p.book.Merge(list, p.Clock())
	return err
}

// RecordDigest implements supervisor.ClusterLocal.
func (p *process) RecordDigest() uint64 { return p.book.RecordDigest() }

// RecordSums implements supervisor.ClusterLocal.
func (p *process) RecordSums() [peerbook.RecordShelves]uint64 { return p.book.RecordSums() }

// Records implements supervisor.ClusterLocal.
func (p *process) Records(shelf byte, after string, n int) []supervisor.BookRecord {
	return p.book.Records(shelf, after, n)
}
