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

// Exit statuses of all commands.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitNoNode       = 3
	exitNotConnected = 4
	exitTimeout      = 5
)

// usageError is the error of an invalid command line or setting.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

// exitStatus returns the exit status for the error of a command.
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
	case control.CodeUsage, control.CodeAmbiguous, control.CodeClaimedName:
		return exitUsage
	case control.CodeUnknownPeer, control.CodeNotConnected, control.CodeRefused:
		return exitNotConnected
	case control.CodeTimeout:
		return exitTimeout
	default:
		return exitFailed
	}
}

// explain adds the failed action, and the remedy if there is one, to an error. dir is the data directory.
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
		if known := cmp.Or(reported.Advice, control.Advice(reported.Code)); known != "" {
			return fmt.Errorf("%s: %w: %s", action, err, known)
		}
	}
	return fmt.Errorf("%s: %w", action, err)
}

// accessible adds a remedy to an error about access to the data directory. Errors about a damaged file contain their
// own remedy.
func accessible(err error) error {
	if remedy, known := datadir.Remedy(err); known && strings.Contains(err.Error(), remedy) {
		if strings.Contains(remedy, "data directory") {
			return fmt.Errorf("%w with --data-dir", err)
		}
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

// badUsage returns the error of an invalid command line, with a hint at the help.
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

// arguments checks the number of arguments of a command; most < 0 means no limit. The error calls them name.
func arguments(least, most int, name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return badUsage(cmd, "%s is missing", name)
		case most >= 0 && len(args) > most && most == 0:
			return badUsage(cmd, "%s takes no arguments, but got %s",
				cmd.CommandPath(), printable.Cut(printable.Word(args[0]), 80))
		case most >= 0 && len(args) > most:
			return badUsage(cmd, "%s is one argument too many: put quotes around an argument with spaces",
				printable.Cut(printable.Word(args[most]), 80))
		}
		return nil
	}
}
