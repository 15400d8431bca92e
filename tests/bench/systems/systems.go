// Package systems has one small interface for all measured systems: this project's node, the reference path that
// represents the deployed nodes, and comparable libraries.
package systems

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Names of the systems.
const (
	Ours      = "ours"                    // this project, in sessions
	OursSMSG  = "ours, SMSG"              // this project with sessions off, as it speaks with deployed nodes
	Reference = "reference"               // Borg's codec, one write per message, goroutines and mutexes
	LibP2P    = "libp2p"                  // go-libp2p over TCP, noise and yamux, one write per message
	Coder     = "coder/websocket"         // no encryption, one write per message
	Coalesced = "coder/websocket, corked" // the same, with writes of 64 KiB
	Remote    = "protoactor remote"       // gRPC, no encryption
)

// Node is one end of a system. Its methods are safe for concurrent use.
type Node interface {
	// Listen accepts connections on a free loopback port and returns the argument of Dial.
	Listen() (address string, err error)
	// Dial opens one connection.
	Dial(address string) (Link, error)
	// Broadcast sends one message with a payload of size bytes to all connected peers.
	Broadcast(size int) error
	// Peers returns the number of connected peers.
	Peers() int
	// Tally returns the counter of received messages.
	Tally() *Tally
	// Close ends the node, not necessarily gracefully, because the process ends soon after.
	Close()
}

// Link is the sending side of one connection.
type Link interface {
	// Stream sends n messages with payloads of size bytes at the maximum rate. It returns when all are written to the
	// operating system.
	Stream(n, size int) error
	// Ask sends one message with a payload of size bytes and waits for an answer of the same size.
	Ask(size int) error
}

// Options of a node.
type Options struct {
	Known int    // number of peers in the peer book at the start
	Dir   string // folder for the file of the peer book
}

// New creates a node of the named system.
func New(name string, o Options) (Node, error) {
	switch name {
	case Ours, OursSMSG:
		return newOurs(o, name == OursSMSG)
	case Reference:
		return newReference(o)
	case LibP2P:
		return newLibP2P()
	case Coder, Coalesced:
		return newCoder(name == Coalesced), nil
	case Remote:
		return newRemote(), nil
	}
	return nil, fmt.Errorf("no system is called %q", name)
}

// Tally counts messages and records the time at which an awaited number is reached. Safe for concurrent use.
type Tally struct {
	count  atomic.Int64
	target atomic.Int64
	hit    chan int64
}

// NewTally returns a count of zero.
func NewTally() *Tally { return &Tally{hit: make(chan int64, 1)} }

// Add counts one message.
func (t *Tally) Add() {
	if t.count.Add(1) == t.target.Load() {
		t.hit <- Now()
	}
}

// Count returns the number of counted messages.
func (t *Tally) Count() int64 { return t.count.Load() }

// Arm sets the number that Await waits for: n more than now. No message may be in flight during the call.
func (t *Tally) Arm(n int) { t.target.Store(t.count.Load() + int64(n)) }

// Await returns the time, as of Now, at which the armed number was reached. It fails after the timeout.
func (t *Tally) Await(timeout time.Duration) (int64, error) {
	select {
	case at := <-t.hit:
		return at, nil
	case <-time.After(timeout):
		return 0, fmt.Errorf("%d messages arrived, want %d", t.Count(), t.target.Load())
	}
}

// Now returns the monotonic clock in nanoseconds, which is the same in all processes of the machine.
func Now() int64 {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &at); err != nil {
		panic(err) // Linux always has this clock
	}
	return at.Nano()
}

var errNotMeasured = errors.New("not measured for this system")
