// Package toxiproxy tests two nodes on real sockets with a bad network in between: latency, little bandwidth, resets,
// silence and cut streams by toxiproxy, and, for root, a network that splits and heals by iptables. It is a module of
// its own, so that toxiproxy's dependencies stay out of the main one.
package toxiproxy
