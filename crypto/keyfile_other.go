//go:build !unix

package crypto

import "io/fs"

// checkAccess has nothing to check: the mode bits say nothing here, the directory of the user does.
func checkAccess(string, fs.FileInfo) error { return nil }

// syncDir has nothing to do: directories cannot be synced here.
func syncDir(string) error { return nil }
