package actors

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// BenchmarkFramePath measures the work of both ends for one message, without sockets and actors: create, validate,
// encode and seal it, then open and decode its frame. text/N has a string of N bytes as payload, object/N an array of
// objects.
func BenchmarkFramePath(b *testing.B) {
	for _, size := range []int{64, 256, 1 << 10, 16 << 10} {
		b.Run(fmt.Sprint("text/", size), func(b *testing.B) { benchmarkFramePath(b, strings.Repeat("x", size)) })
		const member = `{"member":"8dffda5ff32ade93","rate":977.5},`
		objects := "[" + strings.Repeat(member, size/len(member)) + "0]"
		b.Run(fmt.Sprint("object/", size), func(b *testing.B) { benchmarkFramePath(b, json.RawMessage(objects)) })
	}
}

func benchmarkFramePath(b *testing.B, payload any) {
	const from, to = "6b4c195b5338ff84876cc6de1b1118bf", "8dffda5ff32ade93902da91128a56961"
	n := &Node{}
	sender, receiver := benchmarkCodec(b), benchmarkCodec(b)
	b.ReportAllocs()
	for b.Loop() {
		msg, err := wire.NewMessage(wire.MsgChat, from, to, payload)
		if err != nil {
			b.Fatal(err)
		}
		f, err := n.encodeSMSG(msg)
		if err != nil {
			b.Fatal(err)
		}
		f.data = sender.seal(f.data)
		if _, _, err := receiver.read(f.data); err != nil {
			b.Fatal(err)
		}
		n.frames.put(f)
	}
}

func benchmarkCodec(b *testing.B) *smsgCodec {
	c, err := newSMSG(crypto.SharedSecret{1}, nil)
	if err != nil {
		b.Fatal(err)
	}
	c.bind(crypto.NewBind(crypto.Initiator, []byte("handshake"), []byte("ack")), crypto.Bind{})
	return c
}
