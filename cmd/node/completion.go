package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/spf13/cobra"
)

// completePeer offers the IDs, aliases and names of the running node's peers to the shell, for one argument.
func (a *app) completePeer(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return peerOffers(a.knownPeers(cmd), output.Peer.Label), cobra.ShellCompDirectiveNoFileComp
}

// completeKey offers the IDs and aliases of the running node's peers to the shell. Claimed names stand for no key.
func (a *app) completeKey(cmd *cobra.Command) ([]string, cobra.ShellCompDirective) {
	alias := func(p output.Peer) string { return p.Alias }
	return peerOffers(a.knownPeers(cmd), alias), cobra.ShellCompDirectiveNoFileComp
}

// peerOffers returns the ID of each peer, described by its name, and behind them the texts that name returns. It omits
// a name of several peers, of an unverified peer, and one that a shell may read as anything but a word.
func peerOffers(peers []output.Peer, name func(output.Peer) string) []string {
	bearers := make(map[string]int)
	for _, p := range peers {
		bearers[name(p)]++
	}
	var ids, names []string
	for _, p := range peers {
		ids = append(ids, p.ID+"\t"+printable.Word(p.Label()))
		if word := name(p); isShellWord(word) && bearers[word] == 1 && !p.Claimed() {
			names = append(names, word+"\t"+p.ID)
		}
	}
	return append(ids, names...)
}

// isShellWord reports whether a text consists of letters, digits, underscores, dots and hyphens, and is no flag.
func isShellWord(text string) bool {
	special := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.-", r)
	}
	return text != "" && text[0] != '-' && !strings.ContainsFunc(text, special)
}

// completePending offers the IDs of the pending peers to the shell.
func (a *app) completePending(cmd *cobra.Command) (offers []string, directive cobra.ShellCompDirective) {
	directive = cobra.ShellCompDirectiveNoFileComp
	_, client, err := a.client(cmd)
	if err != nil {
		return nil, directive
	}
	var peers []output.Pending
	raw, err := client.Get(cmd.Context(), "pending")
	if err != nil || json.Unmarshal(raw, &peers) != nil {
		return nil, directive
	}
	for _, p := range peers {
		offers = append(offers, p.ID+"\t"+printable.Word(p.Name)+", "+printable.Word(p.Address))
	}
	return offers, directive
}

// completeConnection offers the numbers of the running node's connections, unverified ones first, to the shell.
func (a *app) completeConnection(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var verified, unverified []string
	for _, p := range a.knownPeers(cmd) {
		for _, c := range p.Connections {
			offer := fmt.Sprintf("%d\t%s, %s, %s",
				c.Connection, printable.Word(p.Name), c.Direction, printable.Word(c.Address))
			if c.Verified {
				verified = append(verified, offer)
			} else {
				unverified = append(unverified, offer+", unverified")
			}
		}
	}
	return append(unverified, verified...), cobra.ShellCompDirectiveNoFileComp
}

// completeMember offers the names of the members of the running node to the shell.
func (a *app) completeMember(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	_, client, err := a.client(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var members []output.Member
	raw, err := client.Get(cmd.Context(), "members")
	if err != nil || json.Unmarshal(raw, &members) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return memberOffers(members), cobra.ShellCompDirectiveNoFileComp
}

// memberOffers returns the name of each member, described by its state.
func memberOffers(members []output.Member) (offers []string) {
	for _, m := range members {
		if isShellWord(m.Name) {
			offers = append(offers, m.Name+"\t"+printable.Word(m.State))
		}
	}
	return offers
}

// knownPeers returns the peers of the running node for a completion, or none if the node does not answer.
func (a *app) knownPeers(cmd *cobra.Command) (peers []output.Peer) {
	_, client, err := a.client(cmd)
	if err != nil {
		return nil
	}
	peers, err = client.Peers(cmd.Context())
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(peers, func(p output.Peer) bool { return p.ID == "" })
}
