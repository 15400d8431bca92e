package accept

// leastShare is the minimum that Share grants.
const leastShare = 4

// Share limits want sockets to one part in parts of the process's file descriptors, but to at least 4. descriptors 0
// means unknown: no limit.
func Share(want, descriptors, parts int) int {
	if descriptors <= 0 {
		return want
	}
	return min(want, max(leastShare, descriptors/parts))
}
