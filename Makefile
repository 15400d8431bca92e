# One target a chore. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help build cross test check format lint fuzz simulate lab bench profile browser screenshots openapi man deb model security clean

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
DATE ?= $(shell git show -s --format=%cI HEAD 2>/dev/null || echo unknown)
LDFLAGS = -s -w -X main.buildVersion=$(VERSION) -X main.buildCommit=$(COMMIT) -X main.buildDate=$(DATE)

# Built binaries are optimised with a profile. It is not called default.pgo, which tests and `go build ./...` would use:
# they would compile every package twice.
PGO = cmd/node/node.pgo

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | column -t -s '	'

build: ## one static binary, ./node
	CGO_ENABLED=0 go build -trimpath -pgo=$(PGO) -ldflags "$(LDFLAGS)" -o node ./cmd/node

cross: ## build for every supported platform, and vet where they differ
	.ci/cross

test: ## all tests, with the race detector
	go test -race ./...

check: ## what CI runs
	.ci/run

format: ## rewrite the code in the standard form
	git ls-files '*.go' | xargs go run mvdan.cc/gofumpt@v0.12.0 -w

lint: ## all linters, and known vulnerabilities
	.ci/lint

FUZZTIME ?= 10m
FUZZ ?= ./crypto/smsg:FuzzOpen
fuzz: ## one fuzz target for long: make fuzz FUZZ=./wire:FuzzDecode FUZZTIME=10m
	.ci/fuzz $(firstword $(subst :, ,$(FUZZ))) $(lastword $(subst :, ,$(FUZZ))) $(FUZZTIME)

SEEDS ?= 10000
simulate: ## many seeds of the simulation: make simulate SEEDS=10000
	go test -race -timeout 0 ./tests/simulation -seeds $(SEEDS)

# LABFLAGS=-before=FILE: the node binary of the version before, for the rolling restart.
LABFLAGS ?=
lab: ## faults of several processes as one node, with figures: make lab LABFLAGS='-peers 10000'
	go test -count=1 -v -timeout 0 ./tests/clusterlab -lab $(LABFLAGS)

# make bench BENCHFLAGS=-quick takes two minutes; BENCHFLAGS='-from ../../docs/performance.json' only writes the page.
# BEFORE is the commit whose node is measured beside this one; it must be in the clone. Without it: BEFORE=
BEFORE ?= 1f26a82
bench: ## measure beside the reference path and others (10 minutes): docs/performance.md
	cd tests/bench && go run . -docs ../../docs -json ../../docs/performance.json -before "$(BEFORE)" $(BENCHFLAGS)

profile: ## record a node under the load of the benchmarks, for the optimiser: cmd/node/node.pgo (3 minutes)
	rm -rf dist/profiles && mkdir -p dist/profiles
	cd tests/bench && go build -o ../../dist/bench .
	dist/bench -quick -portable=false -profiles dist/profiles >dist/profiles/quick.md
	dist/bench -only "one way" -repeats 3 -portable=false -profiles dist/profiles >dist/profiles/rates.md
	go tool pprof -proto dist/profiles/*-ours*.pprof >$(PGO)

browser: ## look at the dashboard with Chromium (apt-get install chromium)
	cd tests/browser && go test -v ./...

screenshots: ## make the pictures in docs/images, with Chromium and tmux
	mkdir -p docs/images
	docs/images/capture.sh
	cd tests/browser && SCREENSHOTS=$(CURDIR)/docs/images go test -v -count=1 -run Screenshots ./...

openapi: ## write the OpenAPI description of the control API
	go test -count=1 -run TestOpenAPIIsCurrent ./cmd/node -update

# The name by which packages install the program: /usr/bin/node is Node.js on many systems.
PACKAGED = dist/go-p2p-node

.PHONY: $(PACKAGED)
$(PACKAGED):
	CGO_ENABLED=0 go build -trimpath -pgo=$(PGO) -ldflags "$(LDFLAGS)" -o $@ ./cmd/node

man: $(PACKAGED) ## the man pages, made from the commands, into dist/man
	rm -rf dist/man && mkdir -p dist/man
	$(PACKAGED) man dist/man
	gzip -9n dist/man/*.1

# A version that begins with a number, as Debian wants it; without a tag it is 0 and the commit.
DEB_VERSION = $(if $(filter v%,$(VERSION)),$(patsubst v%,%,$(VERSION)),0.0.0-$(VERSION))

deb: man ## a Debian package with service, man pages and completions, into dist
	mkdir -p dist/completion
	$(PACKAGED) completion bash >dist/completion/go-p2p-node.bash
	$(PACKAGED) completion zsh >dist/completion/_go-p2p-node
	$(PACKAGED) completion fish >dist/completion/go-p2p-node.fish
	$(PACKAGED) config --example | sed -e 's,^#data-dir: .*,#data-dir: /var/lib/go-p2p,' -e 's,^#name: .*,#name: "",' >dist/node.yaml
	ARCH=$$(go env GOARCH) VERSION=$(DEB_VERSION) \
		go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2 package --config packaging/nfpm.yaml --packager deb --target dist/

model: ## prove the claims about the handshake, with ProVerif where it is installed
	tests/model/check

security: ## how systemd rates the rights of the service; 0 is best
	systemd-analyze security --offline=yes packaging/systemd/go-p2p.service | tail -1

clean: ## remove what was built
	rm -rf node dist
