package wire

import "testing"

func TestLEB128IsMinimal(t *testing.T) {
	for n, want := range map[int]string{
		0: "\x00", 1: "\x01", 127: "\x7f", 128: "\x80\x01", 16_383: "\xff\x7f", 16_384: "\x80\x80\x01",
		1 << 28: "\x80\x80\x80\x80\x01", 1<<31 - 1: "\xff\xff\xff\xff\x07",
	} {
		if got := appendLEB128(nil, n); string(got) != want || sizeLEB128(n) != len(want) {
			t.Errorf("%d: %q, %d bytes", n, got, sizeLEB128(n))
		}
		if got, size := readLEB128([]byte(want + "\x80")); got != int64(n) || size != len(want) {
			t.Errorf("%q: got %d, %d bytes", want, got, size)
		}
	}
	if got, size := readLEB128([]byte("\xff\xff\xff\xff\x7f")); got != 1<<35-1 || size != 5 {
		t.Errorf("the largest number: got %d, %d bytes", got, size)
	}
	for _, bad := range []string{
		"", "\x80", "\xff\xff", "\x80\x00", "\x81\x80\x00", "\xff\xff\xff\xff\xff", "\x80\x80\x80\x80\x80\x01",
	} {
		if got, size := readLEB128([]byte(bad)); size != 0 {
			t.Errorf("%q: got %d, %d bytes", bad, got, size)
		}
	}
}
