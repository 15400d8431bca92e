//go:build !unix

package control

// restrictNewFiles does nothing: without file modes, a file inherits the access list of its directory.
func restrictNewFiles() (restore func()) { return func() {} }
