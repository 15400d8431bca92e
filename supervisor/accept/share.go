package accept

// leastShare is what a process with few descriptors keeps all the same.
const leastShare = 4

// Share bounds want sockets to one part in parts of the file descriptors that the process may have; 0 descriptors:
// not known, no bound. At least 4 are granted.
func Share(want, descriptors, parts int) int {
	if descriptors <= 0 {
		return want
	}
	return min(want, max(leastShare, descriptors/parts))
}
