package cluster

// maxOpen is the largest number of batches to one member without an answer.
const maxOpen = 8

// window is the number of batches to one member without an answer. The lock of its owner guards it.
type window int

// admits reports whether a further batch is sent: the first one at once, others when they are full.
func (w window) admits(full bool) bool { return w == 0 || full && w < maxOpen }
