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
	Ours      = "ours"                    // this project
	Reference = "reference"               // Borg's codec, a write a message, goroutines and mutexes
	LibP2P    = "libp2p"                  // go-libp2p over TCP, noise and yamux, a write a message
	Coder     = "coder/websocket"         // no encryption, a write a message
	Coalesced = "coder/websocket, corked" // the same, written 64 KiB at a time
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
	// Peers returns how many are connected.
	Peers() int
	// Tally counts the messages that came in.
	Tally() *Tally
	// Close ends it; the process ends soon after, so nothing has to be graceful.
	Close()
}

// Link is one connection as its sender sees it.
type Link interface {
	// Stream sends n messages with payloads of size bytes as fast as the system takes them. It returns when the
	// operating system has them all.
	Stream(n, size int) error
	// Ask sends one message with a payload of size bytes and waits for an answer of the same size.
	Ask(size int) error
}

// Options of a node.
type Options struct {
	Known int    // peers that are in the book from the start
	Dir   string // for the book's file
}

// New makes a node of a system.
func New(name string, o Options) (Node, error) {
	switch name {
	case Ours:
		return newOurs(o)
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

// Tally counts messages and notes when an awaited number is reached.
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

// Count returns how many have come.
func (t *Tally) Count() int64 { return t.count.Load() }

// Arm sets the number that Await waits for: n more than have come. Nothing may be on its way meanwhile.
func (t *Tally) Arm(n int) { t.target.Store(t.count.Load() + int64(n)) }

// Await returns the time at which the armed number was reached.
func (t *Tally) Await(patience time.Duration) (int64, error) {
	select {
	case at := <-t.hit:
		return at, nil
	case <-time.After(patience):
		return 0, fmt.Errorf("%d messages came, %d were awaited", t.Count(), t.target.Load())
	}
}

// Now is the monotonic clock in nanoseconds, the same in every process of the machine.
func Now() int64 {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &at); err != nil {
		panic(err) // this clock is always there
	}
	return at.Nano()
}

var errNotMeasured = errors.New("this is not measured for this system")
