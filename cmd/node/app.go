package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/cmd/node/internal/service"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/wire"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// app is one run of the program with all of its inputs, so that tests can run several in parallel.
type app struct {
	stdin   io.Reader
	stdout  io.Writer // results go to out instead
	stderr  io.Writer // safe for concurrent use
	environ []string
	now     func() time.Time
	signals func() (received <-chan os.Signal, stop func())
	manager func() (*service.Manager, error) // nil: no service manager
	program string                           // name of the program in the help; "": node

	dataDir  string // defaults of settings
	file     string
	hostName string

	out *resultWriter // writes results to stdout; set by run
}

// run runs one command line and returns the exit status.
func (a *app) run(args []string) int {
	a.out = &resultWriter{w: a.stdout}
	root := a.root()
	root.SetArgs(args)
	err := a.out.outcome(root.ExecuteContext(context.Background()))
	if err != nil && !errors.Is(err, errReaderGone) {
		fmt.Fprintln(a.stderr, "node: "+printable.Line(err.Error()))
	}
	return exitStatus(err)
}

// root returns the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:               cmp.Or(a.program, "node"),
		Short:             "An encrypted peer-to-peer node",
		Long:              rootHelp,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.SuggestionsMinimumDistance = 2
	root.SetIn(a.stdin)
	root.SetOut(helpWriter{a.out})
	root.SetErr(a.stderr)
	root.SetVersionTemplate("node {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return badUsage(cmd, "%v", err)
	})
	a.addSettings(root, root.PersistentFlags(), settings.ScopeClient)
	root.SetUsageTemplate(examplesLast(root.UsageTemplate()))
	a.addCommands(root)
	addExamples(root)
	return root
}

const rootHelp = `An encrypted peer-to-peer node: 'node run' starts one, the other commands talk to it.

A setting comes from its flag, else from the environment (NODE_…), else from the settings
file, else from the default; 'node config' shows the source.

Exit status: 0 done; 1 failed; 2 wrong usage; 3 no running node; 4 the peer is not
connected or refused; 5 timed out.`

// options returns the inputs of settings.Load.
func (a *app) options(cmd *cobra.Command) settings.Options {
	o := settings.Options{
		Environ: a.environ, DataDir: a.dataDir, File: a.file, HostName: settings.RegisteredName(a.hostName),
		Agent: thisBuild().agent(),
	}
	if cmd != nil {
		o.Flags = cmd.Flags()
	}
	return o
}

// addSettings adds the flags of settings to the flags of a command, with completion of enumerated values.
func (a *app) addSettings(cmd *cobra.Command, flags *pflag.FlagSet, scope settings.Scope) {
	settings.AddFlags(flags, scope, a.options(nil))
	flags.VisitAll(func(flag *pflag.Flag) {
		if values := settings.Values(flag.Name); values != nil {
			offer := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
			_ = cmd.RegisterFlagCompletionFunc(flag.Name, offer) // fails only for a flag that does not exist
		}
	})
}

// settings returns the settings in force for a command.
func (a *app) settings(cmd *cobra.Command, scope settings.Scope) (*settings.Settings, error) {
	s, err := settings.Load(a.options(cmd), scope)
	if err != nil {
		return nil, &usageError{err.Error()}
	}
	return s, nil
}

// nodeSettings returns the settings for running a node. It checks the files that they name too.
func (a *app) nodeSettings(cmd *cobra.Command) (*settings.Settings, error) {
	s, err := a.settings(cmd, settings.ScopeNode)
	if err != nil {
		return nil, err
	}
	if err := s.CheckFiles(); err != nil {
		return nil, &usageError{err.Error()}
	}
	return s, requireDataDir(s)
}

// requireDataDir refuses settings without a data directory: none was given, and the environment defines no default.
func requireDataDir(s *settings.Settings) error {
	if s.DataDir != "" {
		return nil
	}
	return &usageError{"no data directory: neither HOME nor XDG_DATA_HOME is set: give one with --data-dir"}
}

// client returns the settings of a client command and a client for the running node.
func (a *app) client(cmd *cobra.Command) (*settings.Settings, *control.Client, error) {
	s, err := a.settings(cmd, settings.ScopeClient)
	if err == nil {
		err = requireDataDir(s)
	}
	if err != nil {
		return nil, nil, err
	}
	return s, control.NewClient(s.DataDir), nil
}

// print writes a result as JSON, or calls text.
func (a *app) print(s *settings.Settings, result any, text func(w io.Writer)) error {
	if s.Output == settings.OutputText {
		text(a.out)
		return a.out.failure
	}
	line, err := wire.MarshalJSON(result)
	if err == nil {
		_, err = fmt.Fprintf(a.out, "%s\n", printable.EscapeJSON(line))
	}
	return err
}

// lockedWriter makes a writer safe for concurrent use.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
