// Package output holds the shapes in which commands, control API, dashboard and top show the state of a node: JSON
// keys, units and texts. The supervisor package returns typed values; this package formats them.
package output

import (
	"cmp"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

// Status is the JSON of `node status`.
type Status struct {
	Identity    crypto.NodeIdentity `json:"identity"`
	Version     string              `json:"version"`
	Address     string              `json:"address"` // bound host:port; empty if the node does not listen
	Uptime      float64             `json:"uptime"`  // seconds
	Auth        string              `json:"auth"`    // open or allowlist
	Session     string              `json:"session"` // off, prefer, pin or require
	Connections ConnectionCounts    `json:"connections"`
	Counters    map[string]uint64   `json:"counters"`
	Goroutines  int                 `json:"goroutines"` // of the process
	HeapBytes   uint64              `json:"heapBytes"`  // of the process

	State string `json:"state,omitempty"` // of the member that answers: alive or draining; absent without a cluster

	// Members are all members by name, this one included; absent without a cluster. The fields above are those of the
	// process that answers.
	Members []MemberStatus `json:"members,omitempty"`
}

// MemberStatus is the state of one member of a node that several processes share. If it has not answered, only Name,
// State and Self are set.
type MemberStatus struct {
	Name        string            `json:"name"`
	Self        bool              `json:"self"`
	Answered    bool              `json:"answered"`
	State       string            `json:"state"` // alive, draining or lost
	Version     string            `json:"version"`
	Address     string            `json:"address"`
	Uptime      float64           `json:"uptime"` // seconds
	Connections ConnectionCounts  `json:"connections"`
	Counters    map[string]uint64 `json:"counters"` // never nil
	Goroutines  int               `json:"goroutines"`
	HeapBytes   uint64            `json:"heapBytes"`
}

// NewMemberStatus returns the status of a member; s is nil if it has not answered.
func NewMemberStatus(m Member, s *Status) MemberStatus {
	if s == nil {
		return MemberStatus{Name: m.Name, Self: m.Self, State: m.State, Counters: map[string]uint64{}}
	}
	return MemberStatus{
		Name: m.Name, Self: m.Self, Answered: true, State: cmp.Or(s.State, m.State), Version: s.Version,
		Address: s.Address, Uptime: s.Uptime,
		Connections: s.Connections, Counters: s.Counters, Goroutines: s.Goroutines, HeapBytes: s.HeapBytes,
	}
}

// ConnectionCounts counts the connections of a node and states their limit.
type ConnectionCounts struct {
	Established int `json:"established"`
	Pending     int `json:"pending"` // handshakes and dials under way
	Max         int `json:"max"`
}

// NewStatus formats the state of a node of this version.
func NewStatus(s supervisor.Status, version string) Status {
	return Status{
		Identity: s.Identity, Version: version, Address: s.Address, Uptime: s.Uptime.Seconds(), Auth: s.Auth.String(),
		Session:     s.Session.String(),
		Connections: ConnectionCounts(s.Connections), Counters: s.Counters, Goroutines: s.Goroutines, HeapBytes: s.HeapBytes,
	}
}

// AddMembers adds the connections, counters and memory of the other members that have answered to those of this one.
func (s *Status) AddMembers() {
	counters := make(map[string]uint64)
	for name, value := range s.Counters {
		counters[name] = value
	}
	for _, m := range s.Members {
		if m.Self || !m.Answered {
			continue
		}
		s.Connections.Established += m.Connections.Established
		s.Connections.Pending += m.Connections.Pending
		s.Connections.Max += m.Connections.Max
		s.Goroutines += m.Goroutines
		s.HeapBytes += m.HeapBytes
		for name, value := range m.Counters {
			counters[name] += value
		}
	}
	s.Counters = counters
}
