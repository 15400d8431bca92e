// Command node runs an encrypted peer-to-peer node and talks to the one that runs. The documentation of the commands is
// in their help; docs/ has the rest.
package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/service"
	"github.com/Snider/go-p2p/crypto"
	"github.com/adrg/xdg"
)

func main() {
	host, _ := os.Hostname()
	if host == "" {
		host = "node"
	}
	a := &app{
		stdin:    os.Stdin,
		stdout:   os.Stdout,
		stderr:   &lockedWriter{w: os.Stderr},
		environ:  os.Environ(),
		now:      time.Now,
		signals:  nodeSignals,
		manager:  service.FromEnvironment,
		program:  programName(os.Args[0]),
		dataDir:  defaultDataDir(os.Getenv, runtime.GOOS),
		file:     filepath.Join(xdg.ConfigHome, "go-p2p", "node.yaml"),
		hostName: host,
	}
	os.Exit(a.run(os.Args[1:]))
}

// defaultDataDir returns the default of --data-dir, or "" if the environment names no place for it: the directory then
// would be below the root of the file system.
func defaultDataDir(getenv func(string) string, system string) string {
	if system != "windows" && getenv("HOME") == "" && !filepath.IsAbs(getenv("XDG_DATA_HOME")) {
		return ""
	}
	return crypto.DefaultDataDir()
}

// programName is what the help and the completions call the program: packages install it under another name where node
// is taken.
func programName(path string) string {
	if name := filepath.Base(path); strings.HasSuffix(name, "-node") {
		return name
	}
	return "node"
}

// nodeSignals delivers the signals that end `node run`, and SIGHUP. SIGPIPE is caught without being delivered: without
// that, a reader that closes our standard output would kill the process on the spot instead of failing a write.
func nodeSignals() (<-chan os.Signal, func()) {
	stop, pipe := make(chan os.Signal, 4), make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	signal.Notify(pipe, syscall.SIGPIPE)
	return stop, func() {
		signal.Stop(stop)
		signal.Stop(pipe)
	}
}
