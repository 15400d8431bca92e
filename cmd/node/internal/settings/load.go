package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/crypto/datadir"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// Options are the inputs of Load.
type Options struct {
	Flags    *pflag.FlagSet // nil: no flags
	Environ  []string       // KEY=value
	DataDir  string         // default of --data-dir
	File     string         // default of --config; read only if it exists
	HostName string         // default of --name
	Agent    string         // software and version, for peers; empty: "go-p2p"
}

// layer holds the values of one source, by the name of the flag.
type layer struct {
	source Source
	values *koanf.Koanf
}

// Load returns the settings in force, checked as far as scope goes. An error is one line that names the place of the
// invalid value.
func Load(o Options, scope Scope) (*Settings, error) {
	layers, path, err := readLayers(o)
	if err != nil {
		return nil, err
	}
	s := defaults(o)
	s.File = path
	for _, def := range definitions() {
		if err := s.resolve(def, layers, scope); err != nil {
			return nil, err
		}
	}
	s.setDependentDefaults()
	if scope < ScopeNode {
		return s, nil
	}
	return s, s.check()
}

// resolve sets the value of one setting from the first layer that contains it.
func (s *Settings) resolve(def definition, layers []layer, scope Scope) error {
	s.sources[def.name] = FromDefault
	if def.scope > scope {
		return nil
	}
	for _, l := range layers {
		if !l.values.Exists(def.name) {
			continue
		}
		s.sources[def.name] = l.source
		value := l.values.Get(def.name)
		if yes, ok := value.(bool); ok && def.kind == "bool" {
			value = strconv.FormatBool(yes)
		}
		text, err := scalar(value)
		if err == nil {
			err = def.set(s, text)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", place(def, l.source, s.File, text), err)
		}
		return nil
	}
	return nil
}

// setDependentDefaults sets the default values that depend on other settings.
func (s *Settings) setDependentDefaults() {
	if s.sources["max-clock-skew"] == FromDefault {
		s.Transport.MaxClockSkew = s.Transport.DedupTTL
	}
	if s.sources["shutdown-timeout"] == FromDefault && s.Cluster.Enabled() {
		s.Transport.ShutdownTimeout = memberShutdownTimeout
	}
}

// check checks the rules between settings.
func (s *Settings) check() error {
	t := s.Transport
	switch {
	case t.TLSCertPath != "" && t.TLSKeyPath == "":
		return fmt.Errorf("%s is given without --tls-key: give both or neither", s.given("tls-cert"))
	case t.TLSKeyPath != "" && t.TLSCertPath == "":
		return fmt.Errorf("%s is given without --tls-cert: give both or neither", s.given("tls-key"))
	case t.ReservedConns >= t.MaxConns:
		return fmt.Errorf("%s: must be less than --max-conns, which is %d", s.given("reserved-conns"), t.MaxConns)
	case t.DedupTTL < time.Millisecond:
		return fmt.Errorf("%s: must be 1ms or more", s.given("dedup-ttl"))
	}
	if err := s.checkCluster(); err != nil {
		return err
	}
	return t.Validate()
}

// Given names the place of the value in force of a setting, for errors.
func (s *Settings) Given(name string) string { return s.given(name) }

// given names the place of the value in force, for errors.
func (s *Settings) given(name string) string {
	def := byName()[name]
	return place(def, s.sources[name], s.File, def.show(s))
}

// place names a value and its source as the user wrote them.
func place(def definition, source Source, path, text string) string {
	text = shown(text)
	switch source {
	case FromFlag:
		return "--" + def.name + " " + text
	case FromEnvironment:
		return def.env + "=" + text
	default:
		return printable.Text(path) + ": " + def.name + ": " + text
	}
}

// shown returns at most 80 characters of a text, for errors.
func shown(text string) string { return printable.Cut(printable.Word(text), 80) }

// readLayers returns the values of flags, environment and file, in this order of precedence, and the path of the file.
func readLayers(o Options) ([]layer, string, error) {
	flags, environment, content := koanf.New("."), koanf.New("."), koanf.New(".")
	if err := flags.Load(flagProvider(o.Flags), nil); err != nil {
		return nil, "", err
	}
	if err := environment.Load(envProvider(o.Environ), nil); err != nil {
		return nil, "", err
	}
	layers := []layer{{FromFlag, flags}, {FromEnvironment, environment}, {FromFile, content}}
	path, named := o.File, ""
	switch {
	case flags.Exists("config"):
		path, named = flags.String("config"), "--config"
	case environment.Exists("config"):
		path, named = environment.String("config"), "NODE_CONFIG"
	}
	if path == "" && named == "" {
		return layers, "", nil
	}
	err := readFile(content, path)
	if errors.Is(err, fs.ErrNotExist) && named == "" {
		return layers, "", nil
	}
	if err != nil && named != "" {
		err = fmt.Errorf("%s %w", named, err)
	}
	return layers, path, err
}

func flagProvider(flags *pflag.FlagSet) koanf.Provider {
	if flags == nil {
		flags = pflag.NewFlagSet("", pflag.ContinueOnError)
	}
	known := byName()
	return posflag.ProviderWithFlag(flags, ".", nil, func(f *pflag.Flag) (string, any) {
		if _, ok := known[f.Name]; !ok {
			return "", nil
		}
		return f.Name, f.Value.String()
	})
}

// envProvider ignores variables that begin with NODE_ but name no setting: other programs use the prefix too.
func envProvider(environ []string) koanf.Provider {
	names := make(map[string]definition)
	for _, def := range definitions() {
		names[def.env] = def
	}
	return env.Provider(".", env.Opt{
		Prefix:      "NODE_",
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(key, value string) (string, any) {
			def, ok := names[key]
			if !ok || value == "" && !def.emptyCounts {
				return "", nil
			}
			return def.name, value
		},
	})
}

func readFile(into *koanf.Koanf, path string) error {
	if path == "" {
		return errors.New(`"": must be a file`)
	}
	text, err := readContent(path)
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, datadir.ErrNotRegular), errors.Is(err, datadir.ErrTooLarge):
		return fmt.Errorf("%w: name another settings file with --config", err)
	case errors.As(err, &pathErr):
		return fmt.Errorf("%s: the settings file cannot be read: %w: make it readable, or name another with --config",
			printable.Text(path), pathErr.Err)
	case err != nil:
		return fmt.Errorf("%s: %w", printable.Text(path), err)
	}
	if err := into.Load(text, textParser{yaml.Parser()}); err != nil {
		return fmt.Errorf("%s: the settings file is no valid YAML: %s: write lines such as max-conns: 50; "+
			"`node config --example` prints a file", printable.Text(path), printable.Cut(printable.Line(err.Error()), 400))
	}
	known := byName()
	for _, key := range into.Keys() {
		if _, ok := known[key]; ok && key != "config" {
			continue
		}
		names := slices.Sorted(maps.Keys(known))
		names = slices.DeleteFunc(names, func(n string) bool { return n == "config" })
		return fmt.Errorf("%s: unknown key %s: the keys are %s", printable.Text(path), shown(key), strings.Join(names, ", "))
	}
	return nil
}

func byName() map[string]definition {
	known := make(map[string]definition)
	for _, def := range definitions() {
		known[def.name] = def
	}
	return known
}

// scalar converts a value of any layer to the text that the flag takes. A list becomes a text with commas.
func scalar(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case uint64:
		return strconv.FormatUint(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case []any:
		parts := make([]string, 0, len(v))
		for _, element := range v {
			text, err := scalar(element)
			if err != nil {
				return text, err
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, ","), nil
	default:
		return fmt.Sprint(v), errors.New("must be a text, a number or, for peer, a list")
	}
}
