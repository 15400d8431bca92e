// Package natsbus carries the messages between the members of a node over NATS: cluster.Bus over a NATS server inside
// this process (Serve), whose routes to the other members are TLS 1.3 under certificates of the node's key, or over a
// NATS server elsewhere (Dial), whose operator sees only sealed bodies. Only core subjects are used: delivery is at
// most once.
package natsbus
