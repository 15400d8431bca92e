package wire

// maxLEB128 is the maximum size of a length in a record, in bytes.
const maxLEB128 = 5

// appendLEB128 appends n, at most 35 bits, in groups of 7 bits, the lowest first. The top bit of each byte but the
// last is set.
func appendLEB128(dst []byte, n int) []byte {
	for ; n >= 0x80; n >>= 7 {
		dst = append(dst, byte(n)|0x80)
	}
	return append(dst, byte(n))
}

// sizeLEB128 returns the number of bytes that appendLEB128 appends.
func sizeLEB128(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// readLEB128 returns the number at the start of data and its size in bytes. The size is 0 if data ends inside the
// number, and for numbers of more than 5 bytes or with a superfluous last byte.
func readLEB128(data []byte) (n int64, size int) {
	for i, b := range data[:min(len(data), maxLEB128)] {
		n |= int64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if b == 0 && i > 0 {
				return 0, 0
			}
			return n, i + 1
		}
	}
	return 0, 0
}
