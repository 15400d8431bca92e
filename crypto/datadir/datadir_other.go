//go:build !unix

package datadir

import "io/fs"

const noWait = 0

// exposed reports nothing here: access is not decided by mode bits.
func exposed(fs.FileInfo) bool { return false }
