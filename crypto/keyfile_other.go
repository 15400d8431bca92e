//go:build !unix

package crypto

// syncDir does nothing: this platform cannot sync directories.
func syncDir(string) error { return nil }
