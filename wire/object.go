package wire

// keys are the known keys of an object, each as `"key":`, in the order in which
// nodes write them. The index of a key names its member; len(keys) stands for
// every other key.
type keys []string

// The members of the envelope (protocol section 2).
const (
	fieldID = iota
	fieldType
	fieldFrom
	fieldTo
	fieldTimestamp
	fieldPayload
	fieldReplyTo
)

var envelopeKeys = keys{
	fieldID: `"id":`, fieldType: `"type":`, fieldFrom: `"from":`, fieldTo: `"to":`, fieldTimestamp: `"ts":`,
	fieldPayload: `"payload":`, fieldReplyTo: `"replyTo":`,
}

// skip passes the key at data[i] with its colon and returns its index. It tries
// next first, which is right for nearly all messages.
func (k keys) skip(data []byte, i, next int) (found, end int, err error) {
	if next < len(k) {
		if key := k[next]; len(data)-i >= len(key) && string(data[i:i+len(key)]) == key {
			return next, i + len(key), nil
		}
	}
	end, plain, err := skipString(data, i)
	if err != nil {
		return len(k), end, err
	}
	found = k.index(text{data[i+1 : end-1], plain})
	end, err = skipColon(data, end)
	return found, end, err
}

// index returns the index of the key that is exactly name, however it is written.
func (k keys) index(name text) int {
	const longest = len(`\u0072`) * len("checksum_algo")
	var room [longest]byte
	raw := name.raw
	if !name.plain {
		if len(raw) > longest {
			return len(k)
		}
		raw = appendUnescaped(room[:0], raw)
	}
	for i, key := range k {
		if string(raw) == key[len(`"`):len(key)-len(`":`)] {
			return i
		}
	}
	return len(k)
}

// scanObject passes the object whose opening bracket is at data[i]. value passes
// the value at data[i] of the key with this index; it returns where it ends.
func scanObject(data []byte, i int, known keys, value func(key, i int) (end int, err error)) (end int, err error) {
	i = skipSpace(data, i+1)
	if i < len(data) && data[i] == '}' {
		return i + 1, nil
	}
	for next := 0; ; next++ {
		if next, i, err = known.skip(data, i, next); err != nil {
			return i, err
		}
		if i, err = value(next, skipSpace(data, i)); err != nil {
			return i, err
		}
		i = skipSpace(data, i)
		switch {
		case i < len(data) && data[i] == ',':
			i = skipSpace(data, i+1)
		case i < len(data) && data[i] == '}':
			return i + 1, nil
		default:
			return i, malformedAt("no comma or closing bracket", i)
		}
	}
}

// scanText is scanObject for a text that is one object, with space around it.
func scanText(data []byte, known keys, value func(key, i int) (end int, err error)) error {
	i := skipSpace(data, 0)
	if i >= len(data) || data[i] != '{' {
		return malformed("not a JSON object")
	}
	i, err := scanObject(data, i, known, value)
	if err != nil {
		return err
	}
	if i = skipSpace(data, i); i < len(data) {
		return malformedAt("something after the message", i)
	}
	return nil
}
