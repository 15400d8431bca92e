package systems

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"sync/atomic"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

const benchProtocol = "/bench/1"

// libp2pNode is go-libp2p with the parts that correspond to ours: TCP, noise and yamux. It uses one stream, and one
// write of a length and the payload per message.
type libp2pNode struct {
	host  host.Host
	tally *Tally
	peers atomic.Int64
}

func newLibP2P() (Node, error) {
	h, err := libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableRelay(), libp2p.DisableMetrics(),
	)
	if err != nil {
		return nil, err
	}
	n := &libp2pNode{host: h, tally: NewTally()}
	h.SetStreamHandler(benchProtocol, func(s network.Stream) {
		n.peers.Add(1)
		n.read(s, nil)
	})
	return n, nil
}

func (n *libp2pNode) Listen() (string, error) {
	addresses, err := peer.AddrInfoToP2pAddrs(host.InfoFromHost(n.host))
	if err != nil {
		return "", err
	}
	return addresses[0].String(), nil
}

func (n *libp2pNode) Dial(address string) (Link, error) {
	info, err := peer.AddrInfoFromString(address)
	if err != nil {
		return nil, err
	}
	if err := n.host.Connect(context.Background(), *info); err != nil {
		return nil, err
	}
	s, err := n.host.NewStream(context.Background(), info.ID, benchProtocol)
	if err != nil {
		return nil, err
	}
	link := &libp2pLink{stream: s, answers: make(chan int, 1)}
	go n.read(s, link.answers)
	return link, nil
}

func (n *libp2pNode) read(s network.Stream, answers chan<- int) {
	r := bufio.NewReaderSize(s, 64<<10)
	var message []byte
	var size [4]byte
	for {
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return
		}
		if length := int(binary.BigEndian.Uint32(size[:])); length > cap(message) {
			message = make([]byte, length)
		} else {
			message = message[:length]
		}
		if _, err := io.ReadFull(r, message); err != nil {
			return
		}
		switch message[0] {
		case bareCounted:
			n.tally.Add()
		case bareAsk:
			if _, err := s.Write(bareFrame(bareAnswer, len(message))); err != nil {
				return
			}
		case bareAnswer:
			answers <- len(message)
		}
	}
}

func bareFrame(kind byte, size int) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(size)), bytes.Repeat([]byte{kind}, size)...)
}

func (n *libp2pNode) Broadcast(int) error { return errNotMeasured }
func (n *libp2pNode) Peers() int          { return int(n.peers.Load()) }
func (n *libp2pNode) Tally() *Tally       { return n.tally }
func (n *libp2pNode) Close()              { _ = n.host.Close() }

type libp2pLink struct {
	stream  network.Stream
	answers chan int
}

func (l *libp2pLink) Stream(n, size int) error {
	frame := bareFrame(bareCounted, size)
	for range n {
		if _, err := l.stream.Write(frame); err != nil {
			return err
		}
	}
	return nil
}

func (l *libp2pLink) Ask(size int) error {
	if _, err := l.stream.Write(bareFrame(bareAsk, size)); err != nil {
		return err
	}
	<-l.answers
	return nil
}
