// Package hostile attacks a node as hostile peers and broken machines do: the rows of the threat table, each on real
// sockets, against a Transport in this process or against the node binary. tests/README.md lists the tests of each row.
package hostile
