package wire

// keys lists the known keys of an object, each as `"key":`, in the order in which nodes write them. Members are
// identified by the index of their key; len(keys) denotes any other key.
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

// skip reads the key at data[i] with its colon and returns its index. It compares with key next first, which matches in
// nearly all messages.
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

// index returns the index of the key that equals name after decoding its escapes.
func (k keys) index(name text) int {
	const longest = len(`\u0072`) * len("checksum_algo")
	var buffer [longest]byte
	raw := name.raw
	if !name.plain {
		if len(raw) > longest {
			return len(k)
		}
		raw = appendUnescaped(buffer[:0], raw)
	}
	for i, key := range k {
		if string(raw) == key[len(`"`):len(key)-len(`":`)] {
			return i
		}
	}
	return len(k)
}

// scanObject reads the object at data[i] and returns the index after it. For each member it calls value with the
// index of the key and the index of the value in data; value returns the index after the value.
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
			return i, malformedAt("expected a comma or closing bracket", i)
		}
	}
}

// scanText is scanObject for a text that consists of one object with optional white space around it.
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
		return malformedAt("data after the message", i)
	}
	return nil
}
