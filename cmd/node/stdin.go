package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// lineForm is the form of a line, for errors.
const lineForm = `{"to": PEER, "type": TYPE, "payload": JSON}`

// lineSlack is the number of bytes that a line may have besides the largest message.
const lineSlack = 64 << 10

// lineLimits are the limits of one line. A reload changes them.
type lineLimits struct {
	maxMessage int           // bytes; a line may have lineSlack more
	timeout    time.Duration // of one line
}

var errLineTooLong = errors.New("the line is longer than the largest message: write less, or raise --max-message-size")

// lineSender is the node as the lines of standard input use it.
type lineSender interface {
	Resolve(nameOrPrefix string) (string, error)
	SendContext(ctx context.Context, peer string, message *wire.Message) error
	BroadcastContext(ctx context.Context, message *wire.Message) supervisor.BroadcastResult
	AwaitFirstDials(ctx context.Context) error
}

// lineReader sends the message of each line of an input, one after the other, so that messages keep their order for
// every peer. A peer that does not take its message delays the others for the timeout at most.
type lineReader struct {
	from   string // node ID
	node   lineSender
	errors io.Writer
	limits func() lineLimits // in force
}

// run reads until the input or ctx ends. It writes one line to errors for each invalid or failed line.
func (l *lineReader) run(ctx context.Context, input io.Reader) {
	reader := bufio.NewReaderSize(input, 64<<10)
	for number := 1; ; number++ {
		line, err := readLine(reader, func() int { return l.limits().maxMessage + lineSlack })
		if ctx.Err() != nil || errors.Is(err, io.EOF) {
			return
		}
		readable := err == nil || errors.Is(err, errLineTooLong)
		if err == nil {
			err = l.send(ctx, line)
		}
		if err != nil {
			fmt.Fprintf(l.errors, "node: standard input, line %d: %s\n", number, printable.Line(output.ErrorText(err)))
		}
		if !readable {
			return
		}
	}
}

// readLine returns the next line without its line break. It skips a line of more than most bytes.
func readLine(reader *bufio.Reader, most func() int) ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		part, err := reader.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > most()+1; tooLong {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case tooLong && (err == nil || errors.Is(err, io.EOF)):
			return nil, errLineTooLong
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		default:
			return bytes.TrimRight(line, "\r\n"), err
		}
	}
}

// send sends the message of one line.
func (l *lineReader) send(ctx context.Context, line []byte) error {
	q, err := parseLine(line)
	if err != nil {
		return err
	}
	err = l.sendTo(ctx, q)
	if errors.Is(err, supervisor.ErrUnknownPeer) || errors.Is(err, supervisor.ErrNotConnected) {
		// The first dial of a configured peer may still be under way.
		if waitErr := l.node.AwaitFirstDials(ctx); waitErr == nil {
			err = l.sendTo(ctx, q)
		}
	}
	return l.sized(err)
}

// sendTo sends a message to its peer, or to all peers.
func (l *lineReader) sendTo(ctx context.Context, q control.MessageRequest) error {
	ctx, cancel := context.WithTimeout(ctx, l.limits().timeout)
	defer cancel()
	if q.Peer == "" {
		m, err := control.NewMessage(l.from, "", q)
		if err != nil {
			return err
		}
		return l.broadcast(ctx, m)
	}
	to, err := l.node.Resolve(q.Peer)
	if err != nil {
		return fmt.Errorf("send to %s: %w", printable.Word(q.Peer), err)
	}
	m, err := control.NewMessage(l.from, to, q)
	if err != nil {
		return err
	}
	err = l.node.SendContext(ctx, to, m)
	if remedy := control.Remedy(err); err != nil && remedy != "" {
		return fmt.Errorf("%w: %s", err, remedy)
	}
	return err
}

// broadcast fails, like the command, if there are peers and none took the message.
func (l *lineReader) broadcast(ctx context.Context, m *wire.Message) error {
	result := l.node.BroadcastContext(ctx, m)
	if result.Sent > 0 {
		return nil
	}
	return result.Err()
}

// sized replaces ErrTooLarge by an error with the limit and a remedy.
func (l *lineReader) sized(err error) error {
	if errors.Is(err, supervisor.ErrTooLarge) {
		return errors.New(control.TooLarge(int64(l.limits().maxMessage)).Full())
	}
	return err
}

// parseLine reads {"to", "type", "payload", "replyTo"}; its Peer is empty for a broadcast.
func parseLine(line []byte) (q control.MessageRequest, err error) {
	if len(bytes.TrimSpace(line)) == 0 {
		return q, errors.New("the line is empty: write " + lineForm)
	}
	// A map, because decoding into a struct accepts "TO" for "to".
	var members map[string]json.RawMessage
	err = json.Unmarshal(line, &members)
	var other *json.UnmarshalTypeError
	switch {
	case errors.As(err, &other), err == nil && members == nil:
		return q, errors.New("no JSON object: it must be one such as " + lineForm)
	case err != nil:
		return q, fmt.Errorf("no JSON object: %w: write %s", err, lineForm)
	}
	q.Type = "chat"
	for key, value := range members {
		switch key {
		case "to":
			err = text(key, value, &q.Peer)
		case "type":
			err = text(key, value, &q.Type)
		case "replyTo":
			err = text(key, value, &q.ReplyTo)
		case "payload":
			q.Payload = value
		default:
			err = fmt.Errorf("unknown key %s: the keys are to, type, payload and replyTo",
				printable.Cut(printable.Word(key), 80))
		}
		if err != nil {
			return q, err
		}
	}
	return q, nil
}

// text decodes a member that must be a non-empty string.
func text(key string, value json.RawMessage, field *string) error {
	var found *string
	if err := json.Unmarshal(value, &found); err != nil || found == nil || *found == "" {
		return fmt.Errorf("%s: must be a text that is not empty", key)
	}
	*field = *found
	return nil
}
