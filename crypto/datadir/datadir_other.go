//go:build !unix

package datadir

import "io/fs"

const noWait = 0

// exposed returns false: on this platform mode bits do not control access.
func exposed(fs.FileInfo) bool { return false }
