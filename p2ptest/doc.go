// Package p2ptest runs programs that embed a node in a simulation: on an in-memory network, on virtual time, and with
// faults that a seed draws. An hour of simulated time takes milliseconds, and each node runs the same code as in
// production, with its handshakes, encryption, limits and timeouts.
//
//	p2ptest.Run(t, seed, func(s *p2ptest.Simulation) {
//		alice := s.Start("alice", p2ptest.Program{Setup: alicesHandlers})
//		bob := s.Start("bob", p2ptest.Program{Setup: bobsHandlers, Peers: []*p2ptest.Node{alice}})
//		for range 20 {
//			s.Fault() // cuts, blocks, delays, freezes, kills or restarts something
//			s.Pass(10 * time.Second)
//		}
//		s.Heal()
//		s.Pass(3 * time.Minute) // every connection is back
//		reply, err := bob.Request(alice.ID(), question)
//		…
//	})
//
// The clocks of package time are virtual inside of Run (testing/synctest): a program that uses only them, channels and
// the node needs no change. Goroutines that the program starts must end before Run returns; sockets, files and
// sync.Mutex do not advance virtual time while they block.
//
// The seed determines identities, random bytes, faults and the boundaries of reads. It does not determine the order in
// which goroutines run, so a rare failure may need several runs with its seed.
//
// This package is for tests. No code of the node imports it.
package p2ptest
