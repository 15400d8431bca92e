// Package simulation runs meshes of nodes over an in-memory network on virtual time. A seed draws the mesh, the
// traffic and the faults, and invariants are checked after each step. Replay a failing seed with `go test
// ./tests/simulation -run TestReplay -seed=N -v`. The scheduler is not seeded, so a replay may take several runs.
package simulation
