// Package datadir opens the files of a node's data directory: regular files only, up to a size limit, and without
// blocking on a FIFO or a device. It also maps errors of the file system to remedies, so that callers report damage
// only for damaged content. All functions are safe for concurrent use.
package datadir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Errors of this package. Returned errors wrap one of them and name the path.
var (
	ErrNotRegular = errors.New("it is not a regular file")
	ErrTooLarge   = errors.New("it is larger than any file that a node writes there")
	ErrExposed    = errors.New("other users can write to it")
)

// Open is os.OpenFile for regular files: for a FIFO, a device, a socket or a directory, also behind a symbolic link,
// the error wraps ErrNotRegular. It never waits for another process.
func Open(path string, flag int, perm fs.FileMode) (*os.File, error) {
	info, err := os.Stat(path) // before opening, because opening a device can have side effects
	if err == nil && !info.Mode().IsRegular() {
		return nil, notRegular(path, info)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, flag|noWait, perm)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = notRegular(path, info)
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

func notRegular(path string, info fs.FileInfo) error {
	kind := "special file"
	switch mode := info.Mode(); {
	case mode.IsDir():
		kind = "directory"
	case mode&fs.ModeNamedPipe != 0:
		kind = "FIFO"
	case mode&fs.ModeDevice != 0:
		kind = "device"
	case mode&fs.ModeSocket != 0:
		kind = "socket"
	}
	return fmt.Errorf("%s: %w but a %s", path, ErrNotRegular, kind)
}

// ReadFile returns the content of a regular file of at most limit bytes. The error for a longer file wraps
// ErrTooLarge. Other errors are those of Open and of reading.
func ReadFile(path string, limit int64) ([]byte, error) {
	return read(path, limit, func(fs.FileInfo) error { return nil })
}

// ReadPrivate is ReadFile for a file that CheckPrivate accepts as a shared one.
func ReadPrivate(path string, limit int64) ([]byte, error) {
	return read(path, limit, func(info fs.FileInfo) error { return CheckPrivate(path, info, true) })
}

func read(path string, limit int64, check func(fs.FileInfo) error) ([]byte, error) {
	f, err := Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err == nil {
		err = check(info)
	}
	if err != nil {
		return nil, err
	}
	tooLarge := info.Size() > limit
	var data []byte
	if !tooLarge {
		data, err = io.ReadAll(io.LimitReader(f, limit+1)) // the file can grow after Stat
		tooLarge = int64(len(data)) > limit
	}
	if tooLarge {
		err = fmt.Errorf("%s: %w: more than %d bytes", path, ErrTooLarge, limit)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Check refuses a data directory in which other users can create or replace files: the error wraps ErrExposed. The
// owner and the groups of this process are trusted. A directory that does not exist passes: the node creates it with
// mode 0700.
func Check(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("data directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("data directory %s: %w", dir, syscall.ENOTDIR)
	case exposed(info):
		return fmt.Errorf("data directory %s: %w (mode %04o): chmod go-w it, or give a directory of your own",
			dir, ErrExposed, info.Mode().Perm())
	}
	return nil
}

// remedies lists errors of the file system that do not depend on the content of a file.
var remedies = []struct {
	cause  error
	remedy string
}{
	{ErrNotRegular, "move it away"},
	{ErrTooLarge, "move it away"},
	{syscall.ENOSPC, "free space on its file system"},
	{syscall.EDQUOT, "free space, or raise the quota of this user"},
	{syscall.EROFS, "make its file system writable, or give another data directory"},
	{syscall.EMFILE, "raise the limit of open files (ulimit -n)"},
	{syscall.ENFILE, "the system has no file descriptors left: close other programs, or raise the limit"},
	{syscall.ENOMEM, "free memory"},
	{syscall.EISDIR, "move it away"},
	{syscall.ENOTDIR, "give another data directory"},
	{fs.ErrPermission, "make it readable and writable for this user"},
	{fs.ErrNotExist, "give a data directory that exists"},
}

// Remedy returns the remedy for an error of the file system. known is false for other errors, such as damaged content.
func Remedy(err error) (remedy string, known bool) {
	for _, r := range remedies {
		if errors.Is(err, r.cause) {
			return r.remedy, true
		}
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return "check the disk", true
	}
	return "", false
}
