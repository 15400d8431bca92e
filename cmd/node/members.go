package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/spf13/cobra"
)

func (a *app) membersCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "members",
		Short: "Print the members of a node that several processes share",
		Long: "Print the members of a node that several processes share (see --cluster of 'node run'), as the member that\n" +
			"answers knows them: alive, draining before its stop, or lost, when it was not heard for two seconds.",
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var members []output.Member
			return a.show(cmd, "members", &members, func(w io.Writer) { writeMembers(w, members, a.now()) })
		},
	}
}

func writeMembers(w io.Writer, members []output.Member, now time.Time) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tADDRESS\tSTATE\tCONNECTIONS\tMAX\tHEARD")
	for _, m := range members {
		name, heard := printable.Word(m.Name), output.Age(now.Sub(m.LastHeard))+" ago"
		if m.Self {
			name, heard = name+" (this one)", "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%s\n", name, orDash(m.Address), orDash(m.State), m.Connections,
			m.Max, heard)
	}
	table.Flush()
}
