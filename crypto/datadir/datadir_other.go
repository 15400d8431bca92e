//go:build !unix

package datadir

import "io/fs"

const noWait = 0

// exposed returns false: on this platform mode bits do not control access.
func exposed(fs.FileInfo) bool { return false }

// CheckPrivate accepts every file: on this platform the user's directory controls access, not mode bits.
func CheckPrivate(string, fs.FileInfo, bool) error { return nil }
