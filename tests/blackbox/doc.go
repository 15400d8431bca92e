// Package blackbox tests the node binary by its documented interface only: real processes, real sockets, events read
// from standard output, and the reference peer at the other end. It imports no package that the binary is built from;
// of package nodetest it uses processes only.
package blackbox
