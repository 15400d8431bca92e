package settings

import (
	"strings"

	"github.com/spf13/pflag"
)

// AddFlags adds the flags of the settings that scope has beyond those before it: ScopeClient adds the three that every
// command takes, ScopeNode all others.
func AddFlags(flags *pflag.FlagSet, scope Scope, o Options) {
	initial := defaults(o)
	for _, def := range definitions() {
		if flags.Lookup(def.name) != nil || def.scope > scope || scope > ScopeClient && def.scope == ScopeClient {
			continue
		}
		// The checks wait for Load, which also knows the environment and the file and words all errors alike.
		value := &flagValue{text: def.show(initial), kind: def.kind, list: def.name == "peer" || def.name == "trusted-proxy"}
		switch def.name {
		case "config":
			value.text = o.File
		case "name":
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

// flagValue keeps what was typed. A list takes several, as repeated flags or with commas.
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
