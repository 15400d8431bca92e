package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// examples returns the examples at the end of each command's help: two or three command lines without the name of the
// program and of the command.
func examples() map[string][]string {
	const key = "xgIcSXQ0VEqDqmeVSVsNswK46Eb+AU6kZZmnrLZYnTA="
	return map[string][]string{
		"alias":     {"8dffda5f bob", `bob ""`},
		"allow":     {key, "8dffda5f", "--pending 8dffda5f"},
		"allowlist": {"", "--output json | jq -r '.allowed[].key'"},
		"auth":      {"", "allowlist"},
		"bench":     {"", "--size 64KiB --duration 30s", "127.0.0.1:9091 --connections 4 --output json"},
		"broadcast": {`"maintenance at noon"`, `'{"version": 2}' --type config --role worker`},
		"completion": {
			"bash > /etc/bash_completion.d/node", "fish > ~/.config/fish/completions/node.fish",
		},
		"config":     {"", "--example > node.yaml", "--config node.yaml --output json"},
		"connect":    {"192.0.2.7:9091", "wss://node.example.org/ws --timeout 5s"},
		"demo":       {"", "--keep"},
		"disconnect": {"bob", "8dffda5f --for 24h", "--connection 7"},
		"drain":      {"", "--wait --timeout 30s"},
		"handle": {
			"get_stats --reply-type stats -- ./stats.sh",
			"greet --concurrency 4 --timeout 5s -- python3 greet.py",
			`echo -- cat`,
		},
		"forget":  {"--pin bob", "--pin 8dffda5f --output json"},
		"help":    {"", "run"},
		"id":      {"", "--name alice --role controller", "--import private.key"},
		"man":     {"/usr/local/share/man/man1", "build/man"},
		"members": {"", "--output json | jq -r '.[] | select(.state != \"alive\") | .name'"},
		"pending": {"", "--output json | jq '.[] | {id, key, name}'"},
		"peers": {
			"", "--connected --role worker --sort rtt", "--output json | jq '.[] | select(.connected) | .name'",
		},
		"ping":    {"bob", "bob --count 1 --timeout 2s", "8dffda5f --interval 100ms --output json"},
		"reload":  {"", "--data-dir data"},
		"report":  {"", "/tmp/node.tar.gz", "- | ssh admin@example.org 'cat > node.tar.gz'"},
		"request": {"bob null --type get_stats", `bob '{"miner": 1}' --type start_miner --timeout 30s`},
		"revoke":  {key, "bob"},
		"run": {
			"--name alice", "--data-dir data --peer 192.0.2.7:9091#ID --auth allowlist",
			"--output json --events no-payloads",
		},
		"send":   {"bob hello", `8dffda5f '{"n": 1}' --type news`, "bob --reply-to ID - < answer.json"},
		"status": {"", "--output json | jq .counters.messagesReceived"},
		"top":    {"", "--interval 5s"},
		"watch": {
			"", "--type chat --peer bob --output json | jq .message.payload",
			"--events peer_up,peer_down --count 1 --timeout 30s",
		},
		"version": {"", "--output json | jq -r .version"},
	}
}

// addExamples adds the examples to the commands of root that have none of their own.
func addExamples(root *cobra.Command) {
	all := examples()
	for _, cmd := range root.Commands() {
		if cmd.Example != "" {
			cmd.Example = strings.ReplaceAll(cmd.Example, "  node ", "  "+root.Name()+" ")
			continue
		}
		var lines []string
		for _, line := range all[cmd.Name()] {
			lines = append(lines, strings.TrimRight("  "+cmd.CommandPath()+" "+line, " "))
		}
		cmd.Example = strings.Join(lines, "\n")
	}
	root.Example = "  " + root.Name() + " run --name alice\n  " + root.Name() + " demo\n  " + root.Name() + " help run"
}
