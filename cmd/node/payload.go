package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/wire"
)

const payloadHelp = `PAYLOAD is JSON, or any other text, which is sent as a JSON string. With - or without a PAYLOAD it
is read from standard input, without one line break at the end; empty input is the payload
null. Write -- before a PAYLOAD that begins with a minus.`

// payload returns the payload of the last argument or of standard input. args has at most one element.
func (a *app) payload(args []string) (json.RawMessage, error) {
	if len(args) > 0 && args[0] != "-" {
		return parsePayload([]byte(args[0]))
	}
	text, err := io.ReadAll(io.LimitReader(a.stdin, settings.MaxMessageSizeLimit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the payload from standard input: %w", err)
	case len(text) > settings.MaxMessageSizeLimit:
		return nil, &usageError{"the payload on standard input is larger than any message: send less than " +
			settings.FormatBytes(settings.MaxMessageSizeLimit)}
	}
	return outputPayload(text)
}

// outputPayload returns the payload of the output of a program: without one line break at its end; null if it is empty.
func outputPayload(text []byte) (json.RawMessage, error) {
	if len(text) == 0 {
		return json.RawMessage("null"), nil
	}
	if line, ok := bytes.CutSuffix(text, []byte("\n")); ok {
		text = bytes.TrimSuffix(line, []byte("\r"))
	}
	return parsePayload(text)
}

// parsePayload returns valid JSON unchanged and any other text as a JSON string.
func parsePayload(text []byte) (json.RawMessage, error) {
	if !utf8.Valid(text) {
		return nil, &usageError{"the payload is not UTF-8: encode it, for example as base64"}
	}
	if json.Valid(text) {
		return text, nil
	}
	encoded, err := wire.MarshalJSON(string(text))
	if err != nil {
		return nil, errors.Join(errors.New("encode the payload"), err)
	}
	return encoded, nil
}
