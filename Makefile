# One target a chore. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help build test check format lint fuzz simulate bench browser screenshots clean

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | column -t -s '	'

build: ## one static binary, ./node
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o node ./cmd/node

test: ## all tests, with the race detector
	go test -race ./...

check: ## what CI runs
	.ci/run

format: ## rewrite the code in the standard form
	git ls-files '*.go' | xargs go run mvdan.cc/gofumpt@v0.12.0 -w

lint: ## vet and staticcheck
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

FUZZTIME ?= 10m
FUZZ ?= ./crypto:FuzzOpen
fuzz: ## one fuzz target for long: make fuzz FUZZ=./wire:FuzzDecode FUZZTIME=10m
	go test -run '^$$' -fuzz '^$(lastword $(subst :, ,$(FUZZ)))$$' -fuzztime $(FUZZTIME) $(firstword $(subst :, ,$(FUZZ)))

SEEDS ?= 10000
simulate: ## many seeds of the simulation: make simulate SEEDS=10000
	go test -race -timeout 0 ./tests/simulation -seeds $(SEEDS)

# make bench BENCHFLAGS=-quick takes about a minute; BENCHFLAGS='-from ../../docs/performance.json' only writes the page.
bench: ## measure beside the reference path and others (10 minutes): docs/performance.md
	cd tests/bench && go run . -docs ../../docs -json ../../docs/performance.json $(BENCHFLAGS)

browser: ## look at the dashboard with Chromium (apt-get install chromium)
	cd tests/browser && go test -v ./...

screenshots: ## make the pictures in docs/images with Chromium
	mkdir -p docs/images
	cd tests/browser && SCREENSHOTS=$(CURDIR)/docs/images go test -v -count=1 -run Screenshots ./...

clean: ## remove what was built
	rm -f node
