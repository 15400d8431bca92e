package wire

import (
	"encoding/base64"
	"fmt"
)

// AppendHandshake appends a handshake message to dst and returns the extended slice: the envelope of m with the payload
// p; it does not read m.Payload. The bytes are those of [Message.AppendJSON] with the payload of [MarshalJSON]. It
// allocates nothing if dst has sufficient capacity. The only errors are times that RFC 3339 cannot express (see
// AppendJSON); it then returns dst unchanged. Safe for concurrent use while m and p are not modified.
func AppendHandshake(dst []byte, m *Message, p *HandshakePayload) ([]byte, error) {
	return appendAround(dst, m, p.appendTo)
}

// AppendHandshakeAck is [AppendHandshake] for a handshake_ack.
func AppendHandshakeAck(dst []byte, m *Message, p *HandshakeAckPayload) ([]byte, error) {
	return appendAround(dst, m, p.appendTo)
}

// appendAround appends the envelope of m around a payload.
func appendAround(dst []byte, m *Message, payload func([]byte) ([]byte, error)) ([]byte, error) {
	out, err := textLayout.appendHead(dst, m)
	if err == nil {
		out, err = payload(out)
	}
	if err != nil {
		return dst, err
	}
	return textLayout.appendTail(out, m), nil
}

func (p *HandshakePayload) appendTo(dst []byte) ([]byte, error) {
	dst, err := p.Identity.appendTo(append(dst, `{"identity":`...))
	if err != nil {
		return dst, err
	}
	dst = p.Challenge.appendTo(append(dst, `,"challenge":`...))
	dst = appendQuoted(append(dst, `,"version":`...), p.Version)
	dst = appendFeatures(dst, p.Features)
	if s := p.Session; s != nil {
		dst = appendTexts(append(dst, `,"session":{"aeads":`...), s.AEADs)
		dst = appendSessionKeys(dst, s.Key, s.KEM)
	}
	return append(dst, '}'), nil
}

func (p *HandshakeAckPayload) appendTo(dst []byte) ([]byte, error) {
	dst, err := p.Identity.appendTo(append(dst, `{"identity":`...))
	if err != nil {
		return dst, err
	}
	if len(p.ChallengeResponse) > 0 {
		dst = p.ChallengeResponse.appendTo(append(dst, `,"challengeResponse":`...))
	}
	if p.Accepted {
		dst = append(dst, `,"accepted":true`...)
	} else {
		dst = append(dst, `,"accepted":false`...)
	}
	if p.Reason != "" {
		dst = appendQuoted(append(dst, `,"reason":`...), p.Reason)
	}
	dst = appendFeatures(dst, p.Features)
	if s := p.Session; s != nil {
		dst = appendQuoted(append(dst, `,"session":{"aead":`...), s.AEAD)
		dst = appendSessionKeys(dst, s.Key, s.KEM)
	}
	return append(dst, '}'), nil
}

func (id *Identity) appendTo(dst []byte) ([]byte, error) {
	dst = appendQuoted(append(dst, `{"id":`...), id.ID)
	dst = appendQuoted(append(dst, `,"name":`...), id.Name)
	dst = appendQuoted(append(dst, `,"publicKey":`...), id.PublicKey)
	dst, err := id.CreatedAt.AppendText(append(dst, `,"createdAt":"`...))
	if err != nil {
		return dst, fmt.Errorf("wire: createdAt: %w", err)
	}
	return append(appendQuoted(append(dst, `","role":`...), id.Role), '}'), nil
}

// appendTo appends b as encoding/json does: null if it is nil.
func (b Base64) appendTo(dst []byte) []byte {
	if b == nil {
		return append(dst, null...)
	}
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}

func appendFeatures(dst []byte, features []string) []byte {
	if len(features) == 0 {
		return dst
	}
	return appendTexts(append(dst, `,"features":`...), features)
}

// appendTexts appends a list of strings as encoding/json does: null if it is nil.
func appendTexts(dst []byte, texts []string) []byte {
	if texts == nil {
		return append(dst, null...)
	}
	dst = append(dst, '[')
	for i, text := range texts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, text)
	}
	return append(dst, ']')
}

// appendSessionKeys appends the rest of the value of the key session, after its first member.
func appendSessionKeys(dst []byte, key, kem Base64) []byte {
	dst = key.appendTo(append(dst, `,"key":`...))
	if len(kem) > 0 {
		dst = kem.appendTo(append(dst, `,"kem":`...))
	}
	return append(dst, '}')
}
