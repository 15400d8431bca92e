package wire

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// The plaintext of an SMSG frame (protocol section 4) is a JSON object around one message:
//
//	{"body":"{\"id\":…}","timestamp":1773234159,"meta":{"bind":"…"}}
//	└──── AppendSealedBody ───────────────────┘└──── SealedEnd ────┘
//
// The first part is the same for all receivers, so a broadcast encodes it once. The end is specific to a connection.
const (
	sealedHead = `{"body":"`
	sealedTime = `","timestamp":`
	bindHead   = `,"meta":{"bind":"`
	bindTail   = `"}}`
)

// maxSealedDepth is the maximum nesting of a value inside a plaintext or a container header, in levels. The enclosing
// object is one more level. Known keys need two.
const maxSealedDepth = 63

// ErrPlaintext means that the plaintext of a frame is not a JSON object with a body and a valid timestamp, and so
// contains no message. It is an [ErrMalformed].
var ErrPlaintext = fmt.Errorf("%w: plaintext is not an object with a body and a valid timestamp", ErrMalformed)

// AppendSealedBody appends the plaintext of a frame that contains m, up to its [SealedEnd]. at becomes the timestamp
// of the frame, in Unix seconds; receivers do not evaluate it. The body is the text of [Message.AppendJSON], escaped
// as the inside of a JSON string; each invalid byte of UTF-8 becomes U+FFFD. Errors are those of AppendJSON; it then
// returns dst unchanged.
//
// It allocates nothing if dst has capacity for the result plus 64 bytes and the strings of m need no escapes. Safe for
// concurrent use while m is not modified.
func AppendSealedBody(dst []byte, m *Message, at time.Time) ([]byte, error) {
	out, err := bodyLayout.appendHead(append(dst, sealedHead...), m)
	if err != nil {
		return dst, err
	}
	out = bodyLayout.appendTail(appendBody(out, m.payload()), m)
	return strconv.AppendInt(append(out, sealedTime...), at.Unix(), 10), nil
}

// SealedEnd is the end of each plaintext that one side of a connection seals.
type SealedEnd []byte

// NewSealedEnd returns the end with the mark that binds a frame to its connection (protocol section 7), or without a
// mark if bind is empty. bind must be base64.
func NewSealedEnd(bind []byte) SealedEnd {
	if len(bind) == 0 {
		return SealedEnd("}")
	}
	end := make(SealedEnd, 0, len(bindHead)+len(bind)+len(bindTail))
	return append(append(append(end, bindHead...), bind...), bindTail...)
}

// Bind returns the mark, a slice of e, or nil if there is none.
func (e SealedEnd) Bind() []byte {
	if len(e) < len(bindHead) {
		return nil
	}
	return e[len(bindHead) : len(e)-len(bindTail)]
}

// IDHint receives the id of a message before the rest is decoded, so that the caller can prefetch its entry in a
// dedup set. The id is unchecked: it can be empty, too long, escaped, one of several, or part of a malformed message.
// It is valid during the call only.
type IDHint interface{ Expect(id []byte) }

// IDKeys is an IDHint for the messages of records. ExpectKeys gets messages that were decoded together and sets keys to
// keys of their IDs, which [RecordDecoder.Key] gives back with each message: the caller need not hash an ID twice. 0
// means no key. It must not retain the slices.
type IDKeys interface {
	IDHint
	ExpectKeys(messages []Message, keys []uint64)
}

// DecodeSealedBody parses the plaintext of an opened frame (protocol section 4). It returns the message and the text
// of meta.bind. bind is nil if the plaintext has no mark. If the plaintext has two marks, or one that is not a
// string, bind is not nil but differs from every valid mark.
//
// The body must be a non-empty string. The timestamp is optional; it must be an integer of 64 bits. Key order, white
// space and further keys are free, nested at most 64 levels. A violation is [ErrPlaintext], with a nil bind. The
// message must follow the rules of [Decode]. If it does not, bind is still returned, because callers check the mark
// first.
//
// hint, if not nil, gets the id early; it does not change the result.
//
// DecodeSealedBody overwrites plaintext. bind lies inside it; the message does not. Allocations are those of Decode.
// Safe for concurrent use with distinct plaintexts.
func DecodeSealedBody(plaintext []byte, hint IDHint) (m *Message, bind []byte, err error) {
	var s sealedBody
	if err = s.scan(plaintext); err != nil {
		return nil, nil, err
	}
	m, err = decode(s.body, hint)
	return m, s.bind, err
}

// sealedBody is the result of one pass over a plaintext. Its slices lie inside the plaintext.
type sealedBody struct{ body, bind []byte }

// notBind replaces an invalid mark. It is neither nil nor equal to any mark.
var notBind = []byte{}

// Known members of a plaintext and of its meta.
var (
	sealedKeys = keys{sealedText: `"body":`, sealedTimestamp: `"timestamp":`, sealedMeta: `"meta":`}
	metaKeys   = keys{`"bind":`}
)

const (
	sealedText = iota
	sealedTimestamp
	sealedMeta
)

// scan reads a whole plaintext. The only error is ErrPlaintext.
func (s *sealedBody) scan(data []byte) error {
	if !utf8.Valid(data) {
		return ErrPlaintext
	}
	err := scanText(data, sealedKeys, func(key, i int) (end int, err error) {
		switch {
		case key == sealedText:
			s.body, end, err = unescapeString(data, i)
		case key == sealedTimestamp:
			end, err = skipInteger(data, i)
		case key == sealedMeta && i < len(data) && data[i] == '{':
			end, err = s.meta(data, i)
		default:
			end, err = skipValue(data, i, maxSealedDepth)
		}
		return end, err
	})
	if err != nil || len(s.body) == 0 {
		return ErrPlaintext
	}
	return nil
}

// meta reads the object of the key meta.
func (s *sealedBody) meta(data []byte, i int) (end int, err error) {
	return scanObject(data, i, metaKeys, func(key, i int) (end int, err error) {
		if key == len(metaKeys) {
			return skipValue(data, i, maxSealedDepth-1)
		}
		first := s.bind == nil
		s.bind = notBind
		if i >= len(data) || data[i] != '"' {
			return skipValue(data, i, maxSealedDepth-1)
		}
		value, end, err := unescapeString(data, i)
		if first {
			s.bind = value
		}
		return end, err
	})
}

// Errors of CheckContainerHeader. They are fixed values so that unauthenticated frames cause no allocation.
var (
	errHeader     = fmt.Errorf("%w: container header is not a JSON object of this protocol", ErrMalformed)
	errCompressed = fmt.Errorf("%w: container header requests compression or another format", ErrMalformed)
)

// CheckContainerHeader returns nil if a receiver accepts an SMSG container with this header (protocol section 4): a
// JSON object in UTF-8, nested at most 64 levels, without the keys compression, format, checksum and checksum_algo,
// which deployed nodes never send. Other keys are ignored. The header is not authenticated, so it can only cause a
// refusal. Errors are an [ErrMalformed]. It allocates nothing. Safe for concurrent use.
func CheckContainerHeader(header []byte) error {
	if !utf8.Valid(header) {
		return errHeader
	}
	refusal := errHeader
	err := scanText(header, headerKeys, func(key, i int) (int, error) {
		switch {
		case key < headerChecksum:
			refusal = errCompressed
			return i, refusal
		case key < len(headerKeys):
			return i, refusal
		}
		return skipValue(header, i, maxSealedDepth)
	})
	if err != nil {
		return refusal
	}
	return nil
}

// headerKeys lists the refused members of a container header: compression and format first, then checksums.
var headerKeys = keys{`"compression":`, `"format":`, headerChecksum: `"checksum":`, `"checksum_algo":`}

const headerChecksum = 2
