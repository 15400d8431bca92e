package keystream

import (
	"bytes"
	"fmt"
	"testing"
)

func TestProto(t *testing.T) {
	nonce := [24]byte{}
	for i := range nonce {
		nonce[i] = byte(i * 7)
	}
	for n := range 1100 {
		want := make([]byte, n)
		portable(want, &nonce)
		got := make([]byte, n)
		pairs(got, &nonce, 0)
		if !bytes.Equal(want, got) {
			t.Fatal("pairs", n)
		}
		got = make([]byte, n)
		lanes(got, &nonce)
		if !bytes.Equal(want, got) {
			t.Fatalf("lanes %d\n%x\n%x", n, want, got)
		}
	}
}

func BenchmarkProto(b *testing.B) {
	var nonce [24]byte
	for _, n := range []int{32, 64, 128, 192, 256, 320, 384, 512, 1024, 16384} {
		dst := make([]byte, n)
		for name, f := range map[string]func(){
			"portable": func() { portable(dst, &nonce) },
			"pairs":    func() { pairs(dst, &nonce, 0) },
			"lanes":    func() { lanes(dst, &nonce) },
			"plan":    func() { var p plan; p.init(&nonce); },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.SetBytes(int64(n))
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64((n+31)/32), "ns/block")
			})
		}
	}
}
