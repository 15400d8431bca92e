package settings

import (
	"github.com/knadh/koanf/parsers/yaml"
	yamlv3 "go.yaml.in/yaml/v3"
)

// textParser is the YAML parser of koanf that keeps numbers and dates as text: `name: 0123` is the text 0123, not the
// number 83 of YAML 1.1.
type textParser struct{ *yaml.YAML }

// Unmarshal implements koanf.Parser.
func (p textParser) Unmarshal(text []byte) (map[string]any, error) {
	values, err := p.YAML.Unmarshal(text) // reports invalid YAML and duplicate keys
	if err != nil {
		return nil, err
	}
	var document yamlv3.Node
	if err := yamlv3.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yamlv3.MappingNode {
		return values, nil
	}
	pairs := document.Content[0].Content
	for i := 0; i+1 < len(pairs); i += 2 {
		if value, known := values[pairs[i].Value]; known {
			values[pairs[i].Value] = asWritten(pairs[i+1], value)
		}
	}
	return values, nil
}

// asWritten returns the source text of a scalar that YAML reads as a number or a date, also inside a list. It returns
// any other value unchanged.
func asWritten(node *yamlv3.Node, value any) any {
	if node.Kind == yamlv3.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yamlv3.ScalarNode:
		switch node.Tag {
		case "!!int", "!!float", "!!timestamp":
			return node.Value
		}
	case yamlv3.SequenceNode:
		if list, ok := value.([]any); ok && len(list) == len(node.Content) {
			for i := range list {
				list[i] = asWritten(node.Content[i], list[i])
			}
		}
	}
	return value
}
