// Package clusterlab is the fault lab of a node of several processes: real processes of the node binary, real sockets,
// kills, stops, cuts and restarts. Rows that take longer than a minute run with the flag -lab only (make lab). Each row
// logs its figures.
package clusterlab
