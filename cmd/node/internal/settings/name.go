package settings

import (
	"regexp"
	"strings"
)

// maxRegisteredName is the longest name that deployed nodes register, in bytes.
const maxRegisteredName = 64

var registered = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_ -]{0,62}[A-Za-z0-9])?$`)

// Registered reports whether deployed nodes register a peer of this name. They connect peers of other names but omit
// them from their statistics and peer files.
func Registered(name string) bool { return registered.MatchString(name) }

// RegisteredName returns the default of --name: the first label of a host name, with characters replaced so that
// deployed nodes register it, or "node" if no character remains.
func RegisteredName(host string) string {
	label, _, _ := strings.Cut(host, ".")
	name := strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || Registered(string(r)) {
			return r
		}
		return '-'
	}, label)
	name = strings.Trim(name[:min(len(name), maxRegisteredName)], "-_ ")
	if name == "" {
		return "node"
	}
	return name
}
