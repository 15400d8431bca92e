// Package cluster makes several processes ("members") with one identity key act as one node: it implements
// supervisor.Cluster. A peer is connected to one member, its home; every member knows the home of every peer.
//
// The directory of homes is soft state. Each member announces its own claims in a numbered sequence, and mirrors those
// of the others; a gap in a sequence is repaired by a snapshot. No member waits for a majority.
//
//	peer proven here ──Claim──▶ no home, or its member is lost ──────────▶ granted
//	                            another member is the home ──kindClaim──▶ it decides (ClusterLocal.Contest)
//	                                                        ◀──kindVerdict── granted, refused, or ask again
//	granted ──kindUpdate──▶ all members
//
// Terms order the claims for a peer. They are Lamport times: a new claim gets a term above all that its member has
// seen, so that clocks do not matter.
package cluster
