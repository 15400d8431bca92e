package cluster

// maxOpen is the largest number of batches to one member without an answer.
const maxOpen = 16

// window is the number of batches to one member without an answer. The lock of its owner guards it.
type window int

// admits reports whether a further batch is sent: the first one at once, others when they are large.
func (w window) admits(large bool) bool { return w == 0 || large && w < maxOpen }
