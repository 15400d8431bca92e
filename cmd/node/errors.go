package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/crypto/datadir"
	"github.com/spf13/cobra"
)

// The exit status of every command.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitNoNode       = 3
	exitNotConnected = 4
	exitTimeout      = 5
)

// usageError is a command line, or a setting, that can never work.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

// exitStatus returns what a command that ended in err exits with.
func exitStatus(err error) int {
	var wrong *usageError
	var reported *control.Error
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		return exitUsage
	case errors.Is(err, control.ErrNoNode):
		return exitNoNode
	case !errors.As(err, &reported):
		return exitFailed
	}
	switch reported.Code {
	case control.CodeUsage, control.CodeAmbiguous:
		return exitUsage
	case control.CodeUnknownPeer, control.CodeNotConnected, control.CodeRefused:
		return exitNotConnected
	case control.CodeTimeout:
		return exitTimeout
	default:
		return exitFailed
	}
}

// explain says what failed, why, and what to do: action is what the command wanted to do, dir the data directory.
func explain(err error, dir, action string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, control.ErrNoNode) {
		where := printable.Word(dir)
		return fmt.Errorf("%w in %s: start one with `node run --data-dir %s`", err, where, where)
	}
	var reported *control.Error
	if errors.As(err, &reported) {
		if known := cmp.Or(reported.Advice, advice(reported.Code)); known != "" {
			return fmt.Errorf("%s: %w: %s", action, err, known)
		}
	}
	return fmt.Errorf("%s: %w", action, err)
}

// accessible adds to an error of the data directory what to do, when it is about who may do what there. Others, such
// as a damaged file's, say that themselves.
func accessible(err error) error {
	if remedy, known := datadir.Remedy(err); known && strings.Contains(err.Error(), remedy) {
		return err
	} else if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %s", err, remedy)
	}
	for _, denied := range []error{fs.ErrPermission, fs.ErrNotExist, syscall.ENOTDIR, syscall.EROFS} {
		if errors.Is(err, denied) {
			return fmt.Errorf("%w: make the data directory accessible to this user, or give another one with --data-dir", err)
		}
	}
	return err
}

// advice is what a person can do about an error that the node reports, where its message does not say that already.
func advice(code control.Code) string {
	switch code {
	case control.CodeNotConnected:
		return "`node peers` shows its state and the last error, `node connect ADDR` dials"
	case control.CodeRefused:
		return "check the address, and whether the peer runs and allows this node's key (`node id`)"
	case control.CodeTimeout:
		return "try again, or see with `node peers` whether the peer is alive"
	case control.CodeQueueFull:
		return "the peer reads too slowly, or its rate limit is too low for so many messages: try again later"
	default:
		return ""
	}
}

// badUsage is a wrong command line, with the way to the help.
func badUsage(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...) + ": see `" + cmd.CommandPath() + " --help`"}
}

func unknownCommand(cmd *cobra.Command, name string) error {
	message := "unknown command " + printable.Cut(printable.Word(name), 80)
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		message += ", did you mean `" + near[0] + "`?"
	}
	return badUsage(cmd, "%s", message)
}

// arguments checks how many arguments a command has; most < 0 is any number. What names them for the error.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return badUsage(cmd, "%s is missing", what)
		case most >= 0 && len(args) > most && most == 0:
			return badUsage(cmd, "%s takes no arguments, but got %s", cmd.CommandPath(), printable.Cut(printable.Word(args[0]), 80))
		case most >= 0 && len(args) > most:
			return badUsage(cmd, "%s is one argument too many: quote what belongs together", printable.Cut(printable.Word(args[most]), 80))
		}
		return nil
	}
}
