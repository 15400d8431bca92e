package crypto

import "encoding/binary"

// Eight bytes at a time: most of what is escaped and unescaped stands for itself,
// so that is what has to be found out fast.

const (
	ones = 0x0101010101010101 // times a byte: that byte in each of eight
	tops = 0x8080808080808080

	block   = 32 // bytes that are tested at once,
	longRun = 5  // words that stand for themselves, more than an ID has, after which it is tried
)

// marks is a quick look at 8 bytes: the top bit is set in each byte that is a quote,
// a backslash or a control character, and perhaps, by a borrow, in others above one of
// those, but in none when there is no such byte. The other bits mean nothing.
//
// XORed with 2 the quote comes to lie next to the control characters, and all
// printable others stay beyond: so one subtraction finds both.
func marks(word uint64) uint64 {
	return (((word ^ ones*2) - ones*('"'-1)) | ((word ^ ones*'\\') - ones)) &^ word
}

// calmBlocks returns how many bytes at the start of text, in whole blocks, have no mark.
func calmBlocks(text []byte) int {
	n := 0
	for ; len(text)-n >= block; n += block {
		b := (*[block]byte)(text[n:])
		found := marks(binary.LittleEndian.Uint64(b[0:])) | marks(binary.LittleEndian.Uint64(b[8:])) |
			marks(binary.LittleEndian.Uint64(b[16:])) | marks(binary.LittleEndian.Uint64(b[24:]))
		if found&tops != 0 {
			break
		}
	}
	return n
}

// special looks closely at 8 bytes: the top bits say which of them are quotes and
// which are backslashes. With a control character among them controls is not 0.
func special(word uint64) (quotes, backslashes, controls uint64) {
	return zeros(word ^ '"'*ones), zeros(word ^ '\\'*ones), (word - ' '*ones) &^ word & tops
}

// zeros sets the top bit of each byte that is zero, and no other bit.
func zeros(word uint64) uint64 {
	const lows = ^uint64(tops)
	return ^(word&lows + lows | word | lows)
}
