// Package simulation runs meshes of nodes over an in-memory network on virtual time. A seed draws the mesh, the
// traffic and the faults; after each step invariants are checked. Whatever a seed finds, `go test ./tests/simulation
// -run TestSeed -seed=N -v` finds again, as far as the scheduler lets it.
package simulation
