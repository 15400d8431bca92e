package cluster

// rendezvous returns the member that decides about the messages of an author that is connected nowhere, or that keeps
// an address connected: each member chooses the same one of the same names. If a member leaves, only the authors and
// addresses that it had move. Of no names it returns "".
func rendezvous(names []string, author string) (chosen string) {
	var most uint64
	for _, name := range names {
		if weight := weigh(name, author); chosen == "" || weight > most || weight == most && name > chosen {
			chosen, most = name, weight
		}
	}
	return chosen
}

// weigh hashes a name and an author: FNV-1a, and then a mixer of 64 bits so that all bits depend on all bytes. An
// author can choose its ID, and thus its member. That gains it nothing: members trust each other.
func weigh(name, author string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for _, text := range [...]string{name, author} {
		for i := range len(text) {
			h = (h ^ uint64(text[i])) * prime
		}
		h = (h ^ 0xff) * prime // separates the texts
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
