package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// helpCommand replaces the help command of the library, which exits with 0 for an unknown topic.
func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about a command",
		Args:  arguments(0, 1, "COMMAND"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var offers []string
			for _, other := range cmd.Root().Commands() {
				if !other.Hidden && len(args) == 0 {
					offers = append(offers, other.Name()+"\t"+other.Short)
				}
			}
			return offers, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args[0])
			}
			return topic.Help()
		},
	}
}

// examplesLast moves the examples of the library's template to its end.
func examplesLast(template string) string {
	const examples = "{{if .HasExample}}\n\nExamples:\n{{.Example}}{{end}}"
	return strings.TrimSuffix(strings.Replace(template, examples, "", 1), "\n") + examples + "\n"
}

func (a *app) completionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the completion script for bash, zsh, fish or powershell",
		Long: `Print the completion script for a shell: bash, zsh, fish or powershell.

  bash:        source <(node completion bash)
  zsh:         node completion zsh > "${fpath[1]}/_node"
  fish:        node completion fish > ~/.config/fish/completions/node.fish
  powershell:  node completion powershell | Out-String | Invoke-Expression`,
		Args:      arguments(1, 1, "SHELL"),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		root := cmd.Root()
		write := map[string]func(io.Writer) error{
			"bash":       func(w io.Writer) error { return root.GenBashCompletionV2(w, true) },
			"zsh":        root.GenZshCompletion,
			"fish":       func(w io.Writer) error { return root.GenFishCompletion(w, true) },
			"powershell": root.GenPowerShellCompletionWithDesc,
		}[args[0]]
		if write == nil {
			return badUsage(cmd, "SHELL %q: must be bash, zsh, fish or powershell", args[0])
		}
		if err := write(a.out); err != nil {
			return fmt.Errorf("write the completion script: %w", err)
		}
		return nil
	}
	return cmd
}
