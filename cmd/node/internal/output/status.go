// Package output holds the shapes in which commands, control API, dashboard and top show the state of a node: JSON
// keys, units and texts. The supervisor package returns typed values; this package formats them.
package output

import (
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
