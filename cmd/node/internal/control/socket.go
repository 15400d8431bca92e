package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

const socketName = "control.sock"

// maxSocketPath is the longest socket path in bytes that every system accepts; systems allow 104 to 108.
const maxSocketPath = 100

// SocketPath returns the path of the control socket of a data directory.
func SocketPath(dir string) string { return filepath.Join(dir, socketName) }

// withShortPath calls use with a path of the socket of at most maxSocketPath bytes. On Linux dir may have any length;
// on other systems a longer path is an error.
func withShortPath(dir string, use func(path string) error) error {
	path := SocketPath(dir)
	if len(path) <= maxSocketPath {
		return use(path)
	}
	if runtime.GOOS != "linux" {
		return fmt.Errorf("the path %s has more than the %d bytes that this system allows for a socket: "+
			"give a shorter --data-dir", path, maxSocketPath)
	}
	open, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer open.Close()
	return use(fmt.Sprintf("/proc/self/fd/%d/%s", open.Fd(), socketName))
}

// listen binds the control socket of dir, created with mode 0600 on systems with file modes. It removes the socket of a
// killed node: because the caller holds the lock of the peer book, no other process listens on it.
func listen(dir string) (net.Listener, error) {
	info, err := os.Lstat(SocketPath(dir))
	switch {
	case err == nil && info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%s is no socket: move it away", SocketPath(dir))
	case err == nil:
		if err := os.Remove(SocketPath(dir)); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	var listener *net.UnixListener
	err = withShortPath(dir, func(path string) error {
		defer restrictNewFiles()()
		var err error
		listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, err
	}
	// The short path is invalid by the time of Close; Server.Close unlinks the real path.
	listener.SetUnlinkOnClose(false)
	return listener, nil
}

// dial opens a connection to the node of dir.
func dial(ctx context.Context, dir string) (conn net.Conn, err error) {
	err = withShortPath(dir, func(path string) error {
		var dialer net.Dialer
		conn, err = dialer.DialContext(ctx, "unix", path)
		return err
	})
	return conn, err
}
