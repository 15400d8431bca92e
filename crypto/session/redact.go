package session

import (
	"fmt"
	"io"
)

// Without these methods some verbs, such as %s, would print the bytes of a secret. They do not
// help inside a struct of the caller: there some verbs follow one pointer. So the secrets are behind a second one.

// Format writes "session.Offer".
func (*Offer) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "session.Offer") }

// Format writes "session.Answer".
func (*Answer) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "session.Answer") }

// Format writes "session.Identity".
func (*knownSecret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "session.Identity") }

// Format writes "session.Sealer".
func (Sealer) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "session.Sealer") }

// Format writes "session.Opener".
func (Opener) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "session.Opener") }
