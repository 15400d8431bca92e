package main

import (
	"slices"

	"github.com/spf13/cobra"
)

// addCommands adds every command to root, in the groups of its help.
func (a *app) addCommands(root *cobra.Command) {
	help := a.helpCommand()
	root.SetHelpCommand(help)
	for _, group := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"node", "The node:", []*cobra.Command{
			a.runCommand(), a.idCommand(), a.statusCommand(), a.topCommand(), a.membersCommand(), a.drainCommand(),
			a.configCommand(), a.reloadCommand(), a.reportCommand(),
		}},
		{"peers", "Peers:", []*cobra.Command{
			a.peersCommand(), a.connectCommand(), a.disconnectCommand(), a.pingCommand(), a.aliasCommand(), a.forgetCommand(),
		}},
		{"messages", "Messages and events:", []*cobra.Command{
			a.sendCommand(), a.broadcastCommand(), a.requestCommand(), a.watchCommand(), a.handleCommand(),
		}},
		{"admission", "Admission:", []*cobra.Command{
			a.authCommand(), a.allowCommand(), a.revokeCommand(), a.allowlistCommand(), a.pendingCommand(),
		}},
		{"tools", "Tools:", []*cobra.Command{
			a.demoCommand(), a.benchCommand(), a.completionCommand(), a.manCommand(), a.versionCommand(), help,
		}},
	} {
		root.AddGroup(&cobra.Group{ID: group.id, Title: group.title})
		for _, cmd := range group.commands {
			cmd.GroupID = group.id
			root.AddCommand(cmd)
		}
	}
	for _, cmd := range root.Commands() {
		// The shell offers files only for arguments that are files.
		takesFiles := slices.Contains([]string{"report", "man", "handle"}, cmd.Name())
		if cmd.ValidArgsFunction == nil && cmd.ValidArgs == nil && !takesFiles {
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
}
