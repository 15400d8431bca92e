package actors

import "errors"

// errExited stands for the end of a goroutine by runtime.Goexit in code of the program. Unlike a panic that cannot be
// recovered: deferred functions run, and then the goroutine is gone.
var errExited = errors.New("code of the program called runtime.Goexit")

// fault turns a recovered panic into what is logged: nil stands for runtime.Goexit.
func fault(recovered any) any {
	if recovered == nil {
		return errExited
	}
	return recovered
}
