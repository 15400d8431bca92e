//go:build !unix

package crypto

import "io/fs"

// checkAccess accepts every file: on this platform the user's directory controls access, not mode bits.
func checkAccess(string, fs.FileInfo, bool) error { return nil }

// syncDir does nothing: this platform cannot sync directories.
func syncDir(string) error { return nil }
