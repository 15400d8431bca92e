package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/feed"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/cmd/node/internal/process"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/wire"
	"github.com/spf13/cobra"
)

// maxHandlers is the largest --concurrency.
const maxHandlers = 1000

const handleHelp = `Run COMMAND for each message of TYPE that the running node receives, until interrupted.

COMMAND gets the payload, as JSON, on standard input, and in its environment NODE_MESSAGE_ID,
NODE_MESSAGE_FROM (the author) and NODE_PEER (the peer that delivered the message). Its standard
output is the payload of the reply: JSON, or any other text, which is sent as a JSON string, without
one line break at the end; no output is the payload null. If it exits with another status than 0,
the reply is of type error (code 1004) with the status and the last line of its standard error. If
it takes longer than --timeout, it is killed and the reply is an error (1005). Messages of type
error get no reply.

Peers choose the payload and the values in the environment: quote them in shell scripts. A type has
one handler at a time; a second one is refused. If more than 1,024 messages wait, further ones are
answered with an error. The children of COMMAND are killed when it ends. At its end the command
kills COMMAND, too.`

// handleOptions are the options of `node handle`.
type handleOptions struct {
	kind        string
	replyType   string
	concurrency int
	timeout     span
	args        []string // COMMAND
}

func (a *app) handleCommand() *cobra.Command {
	o := handleOptions{concurrency: 1, timeout: span{30 * time.Second}}
	concurrency := checked{text: "1", kind: "int", set: func(text string) (err error) {
		o.concurrency, err = settings.ParseCount(text, 1, maxHandlers)
		return err
	}}
	cmd := &cobra.Command{
		Use:   "handle TYPE -- COMMAND [ARG…]",
		Short: "Run a command for each message of a type and send its output as the reply",
		Long:  handleHelp,
		Args: func(cmd *cobra.Command, args []string) error {
			switch dash := cmd.ArgsLenAtDash(); {
			case len(args) == 0 || dash == 0:
				return badUsage(cmd, "TYPE is missing")
			case dash < 0 && len(args) == 1 || dash == len(args):
				return badUsage(cmd, "COMMAND is missing: write it after --")
			case dash != 1:
				return badUsage(cmd, "write -- between TYPE and COMMAND")
			}
			if _, err := exec.LookPath(args[1]); err != nil {
				return badUsage(cmd, "COMMAND %s cannot run: %v", printable.Cut(printable.Word(args[1]), 80), errors.Unwrap(err))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.kind, o.args = args[0], args[1:]
			if o.replyType == "" {
				o.replyType = o.kind + "_reply"
			}
			return a.handle(cmd, o)
		},
	}
	cmd.Flags().StringVar(&o.replyType, "reply-type", "", "`type` of the replies (default TYPE_reply)")
	cmd.Flags().Var(&concurrency, "concurrency", "how many commands may run at once")
	cmd.Flags().Var(&o.timeout, "timeout", "how long one command may run")
	return cmd
}

// handle runs the commands until the node stops or a signal comes. It returns after the last command has ended.
func (a *app) handle(cmd *cobra.Command, o handleOptions) error {
	s, client, err := a.client(cmd)
	if err != nil {
		return err
	}
	ctx, stop := a.untilSignal(cmd.Context())
	defer stop()
	h := &handler{app: a, options: o, client: client, messages: make(chan delivered)}
	running, kill := context.WithCancel(ctx)
	var workers sync.WaitGroup
	for range o.concurrency {
		workers.Go(func() { h.work(running) })
	}
	opened := func() {
		nameOtherMembers(ctx, a.stderr, client, "handle", "messages")
		if out := a.progress(); out != nil {
			fmt.Fprintf(out, "handling messages of type %s; Ctrl-C ends it\n", printable.Word(o.kind))
		}
	}
	err = client.Handle(ctx, control.HandleRequest{Type: o.kind}, opened, func(name string, line []byte) bool {
		h.take(ctx, name, line)
		return true
	})
	kill()
	close(h.messages)
	workers.Wait()
	if errors.Is(context.Cause(ctx), errInterrupted) {
		return nil
	}
	return explain(err, s.DataDir, "handle "+printable.Word(o.kind))
}

// handler is one run of `node handle`.
type handler struct {
	*app
	options  handleOptions
	client   *control.Client
	messages chan delivered
}

// delivered is a message and the peer that delivered it.
type delivered struct {
	Peer    string       `json:"peer"`
	Message wire.Message `json:"message"`
}

// take passes a message to a worker, as soon as one is free.
func (h *handler) take(ctx context.Context, name string, line []byte) {
	switch name {
	case feed.Message:
		var d delivered
		if err := json.Unmarshal(line, &d); err != nil {
			h.complain("a message of the node cannot be read: %v", err)
			return
		}
		select {
		case h.messages <- d:
		case <-ctx.Done():
		}
	case feed.Lost:
		h.complain("the commands are too slow: messages were refused: %s", line)
	}
}

func (h *handler) work(ctx context.Context) {
	for d := range h.messages {
		reply, err := h.reply(ctx, d)
		if ctx.Err() != nil {
			return
		}
		if err == nil && d.Message.Type != wire.MsgError {
			_, err = h.client.Send(ctx, reply)
			if tooLarge := (*control.Error)(nil); errors.As(err, &tooLarge) && tooLarge.Code == control.CodeTooLarge {
				_, err = h.client.Send(ctx, h.failure(d, wire.ErrCodeOperationFailed, "the reply is too large"))
			}
		}
		if err != nil {
			h.complain("no reply to message %s: %v", printable.Word(d.Message.ID), err)
		}
	}
}

// reply runs the command for a message and returns the reply.
func (h *handler) reply(ctx context.Context, d delivered) (control.MessageRequest, error) {
	limit, cancel := context.WithTimeout(ctx, h.options.timeout.Duration)
	defer cancel()
	run := process.Command{
		Args: h.options.args, Stdin: d.Message.Payload, Stderr: h.stderr, MaxOutput: settings.MaxMessageSizeLimit,
		Env: slices.Concat(h.environ, []string{
			"NODE_MESSAGE_ID=" + d.Message.ID, "NODE_MESSAGE_FROM=" + d.Message.From, "NODE_PEER=" + d.Peer,
		}),
	}
	output, err := run.Run(limit)
	switch {
	case errors.Is(err, process.ErrTimeout):
		return h.failure(d, wire.ErrCodeTimeout, "the command did not end within "+h.options.timeout.String()), nil
	case err != nil:
		return h.failure(d, wire.ErrCodeOperationFailed, err.Error()), nil
	}
	payload, err := outputPayload(output)
	if err != nil {
		return h.failure(d, wire.ErrCodeOperationFailed, err.Error()), nil
	}
	return control.MessageRequest{
		Peer: d.Message.From, Type: h.options.replyType, Payload: payload, ReplyTo: d.Message.ID,
	}, nil
}

// failure returns a reply of type error.
func (h *handler) failure(d delivered, code wire.ErrorCode, text string) control.MessageRequest {
	payload, _ := wire.MarshalJSON(wire.ErrorPayload{Code: code, Message: text}) // text and number: cannot fail
	return control.MessageRequest{
		Peer: d.Message.From, Type: string(wire.MsgError), Payload: payload, ReplyTo: d.Message.ID,
	}
}

func (h *handler) complain(format string, args ...any) {
	text := printable.Line(fmt.Sprintf(format, args...))
	fmt.Fprintf(h.stderr, "node: handle %s: %s\n", printable.Word(h.options.kind), text)
}
