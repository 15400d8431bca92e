// Package blackbox tests the node binary by its contract alone: real processes, real sockets, events read from
// standard output, and the reference peer on the other side of the wire. It imports nothing that the binary is
// built from.
package blackbox
