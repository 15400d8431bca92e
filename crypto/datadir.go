package crypto

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
)

const dataDirName = "go-p2p"

// DefaultDataDir returns the directory of a node's files: go-p2p under $XDG_DATA_HOME or, if that is unset or not
// absolute, under the platform's directory for user data (~/.local/share on Linux). It reads the environment on each
// call. The directory need not exist.
func DefaultDataDir() string {
	base := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(base) {
		base = platformDataHome()
	}
	return filepath.Join(base, dataDirName)
}

// platformDataHome returns the directory for user data that xdg determined at process start, relative to the current
// home directory. It does not call xdg.Reload, which changes package variables that other users of xdg read.
func platformDataHome() string {
	below, inside := strings.CutPrefix(xdg.DataHome, xdg.Home)
	if home, err := os.UserHomeDir(); err == nil && inside {
		return filepath.Join(home, below)
	}
	return xdg.DataHome
}
