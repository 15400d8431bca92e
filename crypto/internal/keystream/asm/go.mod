module github.com/Snider/go-p2p/crypto/internal/keystream/asm

go 1.26.0

require github.com/mmcloughlin/avo v0.6.0 // indirect
