//go:build !(amd64 || arm64 || s390x || ppc64 || ppc64le) || purego

package session

// hardwareGCM returns false: crypto/aes is portable Go in this build.
func hardwareGCM() bool { return false }
