package actors

// fifo is a queue of jobs.
type fifo struct {
	jobs []job
	next int // index of the oldest queued job
}

func (q *fifo) len() int { return len(q.jobs) - q.next }

func (q *fifo) push(j job) {
	if len(q.jobs) == cap(q.jobs) && q.next > len(q.jobs)/2 {
		left := copy(q.jobs, q.jobs[q.next:])
		clear(q.jobs[left:])
		q.jobs, q.next = q.jobs[:left], 0
	}
	q.jobs = append(q.jobs, j)
}

func (q *fifo) pop() job {
	j := q.jobs[q.next]
	q.jobs[q.next] = job{}
	if q.next++; q.next == len(q.jobs) {
		q.jobs, q.next = q.jobs[:0], 0
	}
	return j
}
