package wire

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// The plaintext of an SMSG frame (protocol section 4) is a JSON object around
// one message:
//
//	{"body":"{\"id\":…}","timestamp":1773234159,"meta":{"bind":"…"}}
//	└──── AppendSealedBody ───────────────────┘└──── SealedEnd ────┘
//
// The first part is the same for every receiver, so a broadcast encodes it
// once. The end belongs to one connection.
const (
	sealedHead = `{"body":"`
	sealedTime = `","timestamp":`
	bindHead   = `,"meta":{"bind":"`
	bindTail   = `"}}`
)

// maxSealedDepth is how deep a value may nest inside a plaintext or a container
// header, which is a level of its own. Honest nodes need two.
const maxSealedDepth = 63

// ErrPlaintext means that an opened frame holds no JSON object with a body and
// a valid timestamp, so it carries no message at all. It is an [ErrMalformed].
var ErrPlaintext = fmt.Errorf("%w: plaintext is no object with a body and a timestamp", ErrMalformed)

// AppendSealedBody appends the plaintext of a frame with m in it, up to its end,
// a [SealedEnd]. at becomes the timestamp of the frame, in Unix seconds; no
// receiver evaluates it. The body is the text of [Message.AppendJSON], escaped as
// the inside of a JSON string; bytes that are not UTF-8 become U+FFFD, one for
// each. Errors are those of AppendJSON; dst is then returned as it was.
//
// Nothing is allocated if dst has room for 64 bytes more than the result and the
// message's strings need no escape. Safe for concurrent use while m is not
// changed.
func AppendSealedBody(dst []byte, m *Message, at time.Time) ([]byte, error) {
	out, err := bodyLayout.appendHead(append(dst, sealedHead...), m)
	if err != nil {
		return dst, err
	}
	out = bodyLayout.appendTail(appendBody(out, m.payload()), m)
	return strconv.AppendInt(append(out, sealedTime...), at.Unix(), 10), nil
}

// SealedEnd is the end of every plaintext that one side of a connection seals.
type SealedEnd []byte

// NewSealedEnd returns the end with the mark that binds a frame to its
// connection (protocol section 7), or without a mark if bind is empty. bind is
// base64.
func NewSealedEnd(bind []byte) SealedEnd {
	if len(bind) == 0 {
		return SealedEnd("}")
	}
	end := make(SealedEnd, 0, len(bindHead)+len(bind)+len(bindTail))
	return append(append(append(end, bindHead...), bind...), bindTail...)
}

// Bind returns the mark, nil if there is none. It lies inside e.
func (e SealedEnd) Bind() []byte {
	if len(e) < len(bindHead) {
		return nil
	}
	return e[len(bindHead) : len(e)-len(bindTail)]
}

// Hint holds the caller's expectations of the next messages of a connection.
// They save copies and change no result. The zero value expects nothing.
type Hint struct {
	From, To string // used in place of a copy when the message has the same text

	// IDs, if not nil, gets the id of a message before the rest is read, so that it
	// can prefetch its entry. The id is unchecked: it may be empty, too long,
	// escaped, one of several, or part of a malformed message. It is valid during
	// the call only.
	IDs interface{ Expect(id []byte) }
}

// DecodeSealedBody reads the plaintext of an opened frame (protocol section 4):
// the message in it, and the text of meta.bind. bind is nil if the sender marks
// no frames, and not nil but equal to no valid mark if the plaintext has two
// marks or one that is not a string.
//
// The body must be a string that is not empty, the timestamp a 64-bit integer
// if there is one. Key order, white space and further keys are free, nested at
// most 64 deep. A violation is [ErrPlaintext], with a nil bind. The rules for the message are
// those of [Decode]; when it breaks one, bind is still returned, since the mark
// is judged first.
//
// plaintext is overwritten, and bind lies inside it; the message refers to
// neither. Allocations are those of Decode. Safe for concurrent use.
func DecodeSealedBody(plaintext []byte, hint *Hint) (m *Message, bind []byte, err error) {
	var s sealedBody
	if err = s.scan(plaintext); err != nil {
		return nil, nil, err
	}
	m, err = decode(s.body, hint)
	return m, s.bind, err
}

// sealedBody is the result of one pass over a plaintext: slices of it.
type sealedBody struct{ body, bind []byte }

// notBind stands for a mark that cannot be right: it is neither nil nor a mark.
var notBind = []byte{}

// The members of a plaintext and of its meta.
var (
	sealedKeys = keys{sealedText: `"body":`, sealedTimestamp: `"timestamp":`, sealedMeta: `"meta":`}
	metaKeys   = keys{`"bind":`}
)

const (
	sealedText = iota
	sealedTimestamp
	sealedMeta
)

// scan walks over a whole plaintext. The only error is ErrPlaintext.
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

// meta passes the object of the key meta.
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

// Errors of CheckContainerHeader: fixed values, since any stranger can cause them.
var (
	errHeader     = fmt.Errorf("%w: container header is no JSON object of this protocol", ErrMalformed)
	errCompressed = fmt.Errorf("%w: container header asks for compression or another format", ErrMalformed)
)

// CheckContainerHeader returns nil if a receiver accepts an SMSG container with
// this header (protocol section 4): a JSON object in UTF-8, nested at most 64
// deep, with none of the keys compression, format, checksum and checksum_algo,
// which no deployed node sends. Other keys are ignored. The header is not
// authenticated, so it can cause a refusal only. Errors are an [ErrMalformed].
// It allocates nothing and is safe for concurrent use.
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

// The members of a container header that are refused: compression and other
// formats first, checksums behind them.
var headerKeys = keys{`"compression":`, `"format":`, headerChecksum: `"checksum":`, `"checksum_algo":`}

const headerChecksum = 2
