package actors

// fifo is a queue of jobs.
type fifo struct {
	jobs []job
	next int // index of the oldest queued job
}

func (b *fifo) len() int { return len(b.jobs) - b.next }

func (b *fifo) push(j job) {
	if len(b.jobs) == cap(b.jobs) && b.next > len(b.jobs)/2 {
		left := copy(b.jobs, b.jobs[b.next:])
		clear(b.jobs[left:])
		b.jobs, b.next = b.jobs[:left], 0
	}
	b.jobs = append(b.jobs, j)
}

func (b *fifo) pop() job {
	j := b.jobs[b.next]
	b.jobs[b.next] = job{}
	if b.next++; b.next == len(b.jobs) {
		b.jobs, b.next = b.jobs[:0], 0
	}
	return j
}
