package session

import (
	"crypto/aes"
	"crypto/cipher"
	"strconv"

	"golang.org/x/crypto/chacha20poly1305"
)

// AEAD is the cipher of a session's records. Both have keys of 32 bytes, nonces of 12 and tags of 16. The zero value is
// none.
type AEAD uint8

// The ciphers of session/1.
const (
	AES256GCM AEAD = iota + 1
	ChaCha20Poly1305
)

var aeadNames = [...]string{AES256GCM: "aes256gcm", ChaCha20Poly1305: "chacha20poly1305"}

// String returns the name in a handshake, or "aead(N)" for a value that is none of the constants.
func (a AEAD) String() string {
	if a.valid() {
		return aeadNames[a]
	}
	return "aead(" + strconv.Itoa(int(a)) + ")"
}

func (a AEAD) valid() bool { return a == AES256GCM || a == ChaCha20Poly1305 }

// ParseAEAD parses a name in a handshake. ok is false for any other text.
func ParseAEAD(text string) (aead AEAD, ok bool) {
	for a := AES256GCM; a.valid(); a++ {
		if text == aeadNames[a] {
			return a, true
		}
	}
	return 0, false
}

// Preferred returns both ciphers in this processor's order of preference: AES-256-GCM first if the processor has
// instructions for AES and carry-less multiplication.
func Preferred() []AEAD { return preferred(hardwareGCM()) }

func preferred(hardware bool) []AEAD {
	if hardware {
		return []AEAD{AES256GCM, ChaCha20Poly1305}
	}
	return []AEAD{ChaCha20Poly1305, AES256GCM}
}

// Choose returns the responder's choice from the names that an initiator offers in its order of preference: the first
// that ParseAEAD knows, but ChaCha20-Poly1305, if offered, on a processor without instructions for GCM. ok is false if
// no name is known.
func Choose(offered []string) (aead AEAD, ok bool) { return choose(offered, hardwareGCM()) }

func choose(offered []string, hardware bool) (first AEAD, ok bool) {
	for _, name := range offered {
		aead, known := ParseAEAD(name)
		if known && !ok {
			first, ok = aead, true
		}
		if known && !hardware && aead == ChaCha20Poly1305 {
			return aead, true
		}
	}
	return first, ok
}

// newCipher returns the cipher for a key of 32 bytes.
func (a AEAD) newCipher(key []byte) cipher.AEAD {
	var aead cipher.AEAD
	var err error
	if a == ChaCha20Poly1305 {
		aead, err = chacha20poly1305.New(key)
	} else {
		aead, err = newGCM(key)
	}
	if err != nil { // unreachable: the key has 32 bytes
		panic(err)
	}
	return aead
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// mustBeValid panics if a is none of the constants: the caller negotiates it with ParseAEAD or Choose.
func (a AEAD) mustBeValid() {
	if !a.valid() {
		panic("session: " + a.String() + " is no cipher")
	}
}
