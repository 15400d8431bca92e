// Command node runs an encrypted peer-to-peer node and controls a running one. The help of each command documents it;
// docs/ has the rest.
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
	catchBrokenPipes()
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
		file:     defaultFile(os.Getenv, runtime.GOOS),
		hostName: host,
	}
	os.Exit(a.run(os.Args[1:]))
}

// defaultDataDir returns the default of --data-dir, or "" if the environment defines none: the directory would then be
// below the root of the file system.
func defaultDataDir(getenv func(string) string, system string) string {
	if system != "windows" && getenv("HOME") == "" && !filepath.IsAbs(getenv("XDG_DATA_HOME")) {
		return ""
	}
	return crypto.DefaultDataDir()
}

// defaultFile returns the default of --config, or "" if the environment defines none.
func defaultFile(getenv func(string) string, system string) string {
	if system != "windows" && getenv("HOME") == "" && !filepath.IsAbs(getenv("XDG_CONFIG_HOME")) {
		return ""
	}
	return filepath.Join(xdg.ConfigHome, "go-p2p", "node.yaml")
}

// programName returns the name of the program for help and completions. Packages install it as NAME-node if the name
// node is taken.
func programName(path string) string {
	if name := filepath.Base(path); strings.HasSuffix(name, "-node") {
		return name
	}
	return "node"
}

// nodeSignals delivers SIGINT, SIGTERM and SIGHUP.
func nodeSignals() (<-chan os.Signal, func()) {
	stop := make(chan os.Signal, 4)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	return stop, func() { signal.Stop(stop) }
}

// catchBrokenPipes catches SIGPIPE and drops it, so that a write to a closed pipe fails instead of killing the process.
// Programs that the process starts get the signal as usual.
func catchBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
