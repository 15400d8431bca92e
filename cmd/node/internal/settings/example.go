package settings

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

const exampleHead = `# Settings of the node, for 'node run --config FILE'. Commented-out lines show the defaults.
# Flags and environment variables override this file; 'node config' shows the value in force.
# 'node reload', or SIGHUP, makes a running node read the file again. An unknown key is an error.
`

// WriteExample writes a settings file with every setting, commented out at its default.
func WriteExample(w io.Writer, o Options) error {
	s := defaults(o)
	var text strings.Builder
	text.WriteString(exampleHead)
	for _, def := range definitions() {
		if def.name == "config" { // the path of this file
			continue
		}
		fmt.Fprintf(&text, "\n# %s\n", strings.TrimSpace(def.usage+restartNote(def.name)))
		fmt.Fprintf(&text, "# Also --%s, %s.\n", def.name, def.env)
		fmt.Fprintf(&text, "#%s: %s\n", def.name, exampleValue(def, s))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func restartNote(name string) string {
	for _, fixed := range restartOnly {
		if name == fixed {
			return ". Needs a restart"
		}
	}
	return ""
}

// exampleValue returns a setting's default as YAML.
func exampleValue(def definition, s *Settings) string {
	switch value := def.show(s); {
	case def.name == "trusted-proxy":
		return "[]    # such as [192.0.2.0/24]"
	case def.name == "peer":
		return "[]    # such as [203.0.113.7:9091, wss://example.org/ws]"
	case def.name == "cluster-join":
		return "[]    # such as [10.0.0.2:9093, members.example.org:9093]"
	case value == "":
		return `""`
	case def.name == "name" || def.name == "data-dir": // names of the host, which YAML may read as another type
		return strconv.Quote(value)
	case strings.ContainsAny(value, ":#{}[],&*!|>'\"%@` "):
		return fmt.Sprintf("%q", value)
	default:
		return value
	}
}
