// Package nodetest starts nodes for tests. It is the only starter outside of package supervisor, whose internal tests
// cannot import a package that imports supervisor.
//
//   - Start runs a Transport in the test's process on a free loopback port, or in memory with Options.Host, and records
//     its messages and events. New does the same without recording and without a testing.TB.
//   - StartProcess runs the node binary and records its events. RunCommand runs one command of the binary to its end.
//
// Binary builds the node once per test binary. A package that uses this one calls Main in TestMain.
package nodetest
