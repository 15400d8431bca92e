package actors

import "errors"

// errExited reports that code of the program called runtime.Goexit. Goexit cannot be recovered: the goroutine runs its
// deferred functions and ends.
var errExited = errors.New("code of the program called runtime.Goexit")

// fault returns the value to log for a recovered panic. recovered is nil after runtime.Goexit, which becomes errExited.
func fault(recovered any) any {
	if recovered == nil {
		return errExited
	}
	return recovered
}
