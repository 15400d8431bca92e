package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/spf13/cobra"
)

// maxErrorText is the number of characters of a dial error that the list of peers shows.
const maxErrorText = 200

func (a *app) statusCommand() *cobra.Command {
	var member string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Print identity, uptime, connections and counters of the running node",
		Args:  arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			verb := "status"
			if member != "" {
				verb += "?member=" + url.QueryEscape(member)
			}
			var status output.Status
			if err := a.show(cmd, verb, &status, func(w io.Writer) { writeStatus(w, status) }); err != nil {
				return err
			}
			a.warnOfMembers(unanswered(status.Members))
			return nil
		},
	}
	a.memberFlag(cmd, &member)
	return cmd
}

// memberFlag adds the flag that selects one member.
func (a *app) memberFlag(cmd *cobra.Command, member *string) {
	cmd.Flags().StringVar(member, "member", "",
		"only this member, by `name`, of a node that several processes share (default: all)")
	_ = cmd.RegisterFlagCompletionFunc("member", a.completeMember) // fails only for a flag that does not exist
}

// unanswered returns the names of the members that have not answered.
func unanswered(members []output.MemberStatus) (names []string) {
	for _, m := range members {
		if !m.Answered {
			names = append(names, m.Name)
		}
	}
	return names
}

// warnOfMembers names members that have not answered, on standard error.
func (a *app) warnOfMembers(names []string) {
	if len(names) > 0 {
		fmt.Fprintf(a.stderr, "node: incomplete, because these members did not answer: %s\n",
			printable.Word(strings.Join(names, ", ")))
	}
}

// show requests verb from the node, decodes the answer into view and prints it: the JSON unchanged, or text.
func (a *app) show(cmd *cobra.Command, verb string, view any, text func(io.Writer)) error {
	s, client, err := a.client(cmd)
	if err != nil {
		return err
	}
	raw, err := client.Get(cmd.Context(), verb)
	if err != nil {
		return explain(err, s.DataDir, cmd.Name())
	}
	if err := json.Unmarshal(raw, view); err != nil {
		return fmt.Errorf("%s: read the node's answer: %w", cmd.Name(), err)
	}
	return a.print(s, raw, text)
}

func writeStatus(w io.Writer, s output.Status) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "name\t%s\n", printable.Word(s.Identity.Name))
	fmt.Fprintf(table, "id\t%s\n", orDash(s.Identity.ID))
	fmt.Fprintf(table, "role\t%s\n", orDash(string(s.Identity.Role)))
	fmt.Fprintf(table, "version\t%s\n", orDash(s.Version))
	fmt.Fprintf(table, "address\t%s\n", orDash(s.Address))
	if s.State != "" {
		fmt.Fprintf(table, "state\t%s\n", memberState(s.State))
	}
	fmt.Fprintf(table, "uptime\t%s\n", output.Age(output.Seconds(s.Uptime)))
	fmt.Fprintf(table, "auth\t%s\n", orDash(s.Auth))
	fmt.Fprintf(table, "session\t%s\n", orDash(s.Session))
	c := s.Connections
	fmt.Fprintf(table, "connections\t%d established, %d pending, %d at most\n", c.Established, c.Pending, c.Max)
	fmt.Fprintf(table, "memory\t%.1f MiB of heap, %d goroutines\n", float64(s.HeapBytes)/(1<<20), s.Goroutines)
	for _, m := range s.Members {
		fmt.Fprintf(table, "member %s\t%s\n", printable.Word(m.Name), memberLine(m))
	}
	fmt.Fprintln(table)
	for _, name := range slices.Sorted(maps.Keys(s.Counters)) {
		fmt.Fprintf(table, "%s\t%d\n", printable.Word(name), s.Counters[name])
	}
	table.Flush()
}

// memberLine describes one member.
func memberLine(m output.MemberStatus) string {
	if !m.Answered {
		if m.State == output.MemberLost {
			return "lost, no answer"
		}
		return "no answer"
	}
	line := fmt.Sprintf("%d established, %d pending, %d at most; up %s",
		m.Connections.Established, m.Connections.Pending, m.Connections.Max, output.Age(output.Seconds(m.Uptime)))
	if m.State == output.MemberDraining {
		line = memberState(m.State) + "; " + line
	}
	if m.Self {
		line += "; this one"
	}
	return line
}

// memberState explains the state of a member.
func memberState(state string) string {
	if state == output.MemberDraining {
		return "draining: its peers move to other members"
	}
	return printable.Word(state)
}

func writePeers(w io.Writer, peers []output.Peer, now time.Time) {
	if len(peers) == 0 {
		fmt.Fprintln(w, "no peers yet: dial one with `node connect ADDR`")
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tROLE\tSTATE\tDIRECTION\tCONNECTION\tSESSION\tVERSION\tRTT\tCLOCK\tLAST SEEN\t"+
		"IN/OUT/DROPPED\tQUEUED\tADDRESS\tNOTES")
	for _, p := range peers {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n",
			orDash(p.ID), printable.Cut(orDash(p.Label()), 32), orDash(string(p.Role)), orDash(string(p.State)),
			orDash(p.Direction), connectionNumber(p), orDash(p.Session), printable.Cut(orDash(p.Version), 32),
			output.RoundTrip(p.RTTMs), output.Clock(p.ClockSkewMs), seen(p, now),
			traffic(p.MessagesReceived, p.MessagesSent, p.Dropped), p.Queued,
			orDash(addressOf(p)), notes(p, now))
		writeConnections(table, p)
	}
	table.Flush()
}

// writeConnections writes a line for each further connection on which the peer's identity is claimed.
func writeConnections(w io.Writer, p output.Peer) {
	for _, c := range p.Connections {
		if c.Connection == p.Connection {
			continue
		}
		state := "unverified"
		if c.Verified {
			state = "connected"
		}
		fmt.Fprintf(w, "%s\t-\t-\t%s\t%s\t%d\t%s\t-\t-\t-\t-\t%s\t-\t%s\tfurther connection\n",
			orDash(p.ID), state, orDash(c.Direction), c.Connection, orDash(c.Session),
			traffic(c.MessagesReceived, c.MessagesSent, c.Dropped), orDash(c.Address))
	}
}

// addressOf returns the kept address over which a peer with several is connected, otherwise the address of the entry.
func addressOf(p output.Peer) string {
	for _, c := range p.Connections {
		if c.Connection == p.Connection && slices.Contains(p.Addresses, c.Address) {
			return c.Address
		}
	}
	return p.Address
}

// traffic formats the counts of messages of a peer or a connection.
func traffic(received, sent, dropped uint64) string {
	return fmt.Sprintf("%d/%d/%d", received, sent, dropped)
}

// connectionNumber returns the number for `node disconnect --connection`, or a dash.
func connectionNumber(p output.Peer) string {
	if p.Connection == 0 {
		return "-"
	}
	return strconv.FormatUint(p.Connection, 10)
}

func seen(p output.Peer, now time.Time) string {
	if p.LastSeen.IsZero() {
		return "-"
	}
	return output.Age(now.Sub(p.LastSeen)) + " ago"
}

func notes(p output.Peer, now time.Time) string {
	var notes []string
	if p.Persistent {
		notes = append(notes, "persistent")
	}
	if p.Allowed {
		notes = append(notes, "allowed")
	}
	if p.Revoked {
		notes = append(notes, "revoked")
	}
	if !p.RefusedUntil.IsZero() {
		notes = append(notes, "refused for "+output.Age(p.RefusedUntil.Sub(now)))
	}
	if p.Alias != "" {
		notes = append(notes, "called "+printable.Word(p.Name))
	}
	if p.Pinned {
		notes = append(notes, "pinned")
	}
	if p.Member != "" {
		notes = append(notes, "member "+printable.Word(p.Member))
	}
	text := cmp.Or(strings.Join(notes, ","), "-") // its texts of peers are quoted
	if p.NextDialAt != nil {
		text += ", next dial " + output.Until(p.NextDialAt.Sub(now))
	}
	if p.LastError != "" {
		text += ": " + printable.Cut(printable.Line(p.LastError), maxErrorText)
	}
	return text
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return printable.Word(text)
}
