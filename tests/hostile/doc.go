// Package hostile does to a node what strangers and broken machines do: the rows of the threat table, each on real
// sockets, against a Transport in this process or against the node binary. The README of the tests says which test holds
// which row.
package hostile
