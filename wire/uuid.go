package wire

import "encoding/binary"

const (
	uuidText  = 36 // bytes of the text of a UUID: groups of 8, 4, 4, 4 and 12 hex digits
	uuidBytes = 16
)

// ParseUUID returns the 16 bytes of a UUID, such as the ID of [NewMessage], or false if text is not its canonical form,
// in lower case with hyphens.
func ParseUUID(text string) (id [uuidBytes]byte, ok bool) {
	if len(text) != uuidText || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return id, false
	}
	words := [...]uint64{
		uint64(load(text, 0))<<32 | uint64(load(text, 4)), uint64(load(text, 9))<<32 | uint64(load(text, 14)),
		uint64(load(text, 19))<<32 | uint64(load(text, 24)), uint64(load(text, 28))<<32 | uint64(load(text, 32)),
	}
	for i, word := range words {
		value := unhex(word)
		if hex(value) != word { // also for each byte that is no digit
			return id, false
		}
		binary.BigEndian.PutUint32(id[4*i:], value)
	}
	return id, true
}

// putUUID sets text to the form that ParseUUID accepts.
func putUUID(text *[uuidText]byte, id *[uuidBytes]byte) {
	second, third := hex(binary.BigEndian.Uint32(id[4:])), hex(binary.BigEndian.Uint32(id[8:]))
	binary.BigEndian.PutUint64(text[0:], hex(binary.BigEndian.Uint32(id[0:])))
	binary.BigEndian.PutUint32(text[9:], uint32(second>>32))
	binary.BigEndian.PutUint32(text[14:], uint32(second))
	binary.BigEndian.PutUint32(text[19:], uint32(third>>32))
	binary.BigEndian.PutUint32(text[24:], uint32(third))
	binary.BigEndian.PutUint64(text[28:], hex(binary.BigEndian.Uint32(id[12:])))
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
}

// load returns four bytes of text, the first in the highest byte.
func load(text string, i int) uint32 {
	return uint32(text[i])<<24 | uint32(text[i+1])<<16 | uint32(text[i+2])<<8 | uint32(text[i+3])
}

// hex returns the eight lower-case hex digits of x, the first digit in the highest byte.
func hex(x uint32) uint64 {
	v := uint64(x)
	v = (v | v<<16) & 0x0000ffff0000ffff
	v = (v | v<<8) & 0x00ff00ff00ff00ff
	v = (v | v<<4) & 0x0f0f0f0f0f0f0f0f // one digit in each byte
	letters := (v + 0x0606060606060606) >> 4 & ones
	return v + '0'*ones + letters*('a'-'9'-1)
}

// unhex is the inverse of hex. For bytes other than digits the result is arbitrary.
func unhex(word uint64) uint32 {
	v := word&(0x0f*ones) + word>>6&ones*9
	v = (v | v>>4) & 0x00ff00ff00ff00ff
	v = (v | v>>8) & 0x0000ffff0000ffff
	return uint32(v | v>>16)
}

const ones = 0x0101010101010101 // times a byte: that byte in all eight bytes of a word
