package settings

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// AddFlags adds the flags of the settings of scope. ScopeClient adds the three that every command takes; the other
// scopes omit these.
func AddFlags(flags *pflag.FlagSet, scope Scope, o Options) {
	initial := defaults(o)
	for _, def := range definitions() {
		if flags.Lookup(def.name) != nil || def.scope > scope || scope > ScopeClient && def.scope == ScopeClient {
			continue
		}
		// Load checks the value, together with those of environment and file and with the same error texts.
		list := slices.Contains([]string{"peer", "trusted-proxy", "cluster-join"}, def.name)
		value := &flagValue{text: def.show(initial), kind: def.kind, list: list}
		switch def.name {
		case "config":
			value.text = o.File
		case "name", "cluster-name":
			value.text = "first label of the host name"
		case "max-clock-skew":
			value.text = ""
		}
		flag := flags.VarPF(value, def.name, "", def.usage)
		if def.kind == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
}

// flagValue holds the text of a flag. A list accepts repeated flags and commas.
type flagValue struct {
	text  string
	kind  string
	list  bool
	typed bool
}

func (v *flagValue) String() string { return v.text }
func (v *flagValue) Type() string   { return v.kind }

func (v *flagValue) Set(text string) error {
	if v.list && v.typed {
		text = strings.Join([]string{v.text, text}, ",")
	}
	v.text, v.typed = text, true
	return nil
}
