package crypto

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
)

const dataDirName = "go-p2p"

// DefaultDataDir returns the directory of a node's own files: go-p2p under
// $XDG_DATA_HOME or, when that is unset or not absolute, under the platform's
// place for user data (~/.local/share on Linux). The environment is read at
// every call. The directory need not exist.
func DefaultDataDir() string {
	base := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(base) {
		base = platformDataHome()
	}
	return filepath.Join(base, dataDirName)
}

// platformDataHome is what xdg found when the process started, moved to the
// home directory of now. Reading it again with xdg.Reload would change that
// library's variables under the feet of everybody else who uses them.
func platformDataHome() string {
	below, inside := strings.CutPrefix(xdg.DataHome, xdg.Home)
	if home, err := os.UserHomeDir(); err == nil && inside {
		return filepath.Join(home, below)
	}
	return xdg.DataHome
}
