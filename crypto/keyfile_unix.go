//go:build unix

package crypto

import (
	"fmt"
	"os"
)

// syncDir syncs a directory, so that its entries survive a power failure.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open the data directory: %w", err)
	}
	defer func() { _ = f.Close() }() // opened for reading only
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync the data directory: %w", err)
	}
	return nil
}
