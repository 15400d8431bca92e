package control

import (
	"fmt"
	"io/fs"
	"os"
)

// openToGroup lets the members of a group use the control socket of dir: socket and directory get the group, the socket
// mode 0660, and the directory lets the group enter, not list or write it, whatever its group could do before. A
// directory that every user may enter stays as it is.
func openToGroup(dir string, group int) error {
	err := giveTo(SocketPath(dir), group, 0o660)
	if err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o001 != 0 {
		return err
	}
	alone := info.Mode().Perm() &^ 0o070
	if err := os.Chmod(dir, alone); err != nil { // before the change of the group
		return err
	}
	return giveTo(dir, group, alone|0o010)
}

// giveTo sets the group and the mode of a path.
func giveTo(path string, group int, mode fs.FileMode) error {
	if err := os.Chown(path, -1, group); err != nil {
		return fmt.Errorf("give it to the group %d: %w: the user of the node must be a member of --control-group", group, err)
	}
	return os.Chmod(path, mode)
}
