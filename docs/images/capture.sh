#!/usr/bin/env bash
# Makes demo.svg and top.svg from the program as it is, in a real terminal. Needs tmux.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
nodes=()
tm() { tmux -S "$work/tmux" -f /dev/null "$@"; }
finish() {
  tm kill-server 2>/dev/null || true
  for pid in "${nodes[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap finish EXIT

node=$work/node
go build -o "$node" ./cmd/node
go build -o "$work/pictures" ./tests/pictures

# shows waits until a terminal shows a text.
shows() {
  for _ in $(seq 600); do
    tm capture-pane -p -t "$1" | grep -qF -- "$2" && return
    sleep 0.1
  done
  echo "the terminal $1 never shows: $2" >&2
  tm capture-pane -p -t "$1" >&2
  return 1
}
picture() { tm capture-pane -e -p -t "$1" | "$work/pictures" >"docs/images/$1.svg"; }

export TERM=xterm-256color
tm new-session -d -s demo -x 146 -y 100 "$node demo; exec cat"
shows demo "steps succeeded"
picture demo

start() { # NAME ARGS…
  "$node" run --data-dir "$work/$1" --name "$1" --listen 127.0.0.1:0 --admin "" --output json "${@:2}" >"$work/$1.out" 2>"$work/$1.err" &
  nodes+=($!)
  until grep -qs listening "$work/$1.out"; do sleep 0.1; done
}
start alice --ping-interval 1s
alice=$(sed -n '1s/.*"address":"\([^"]*\)".*/\1/p' "$work/alice.out")
for name in bob carol dave erin; do start "$name" --peer "$alice" --ping-interval 1s; done
"$node" bench "$alice" --data-dir "$work/alice" --rate 70 --size 400 --duration 25s >/dev/null 2>&1 &
nodes+=($!)
tm new-session -d -s top -x 100 -y 20 "$node top --data-dir $work/alice"
shows top erin
shows top limited
sleep 10 # the sparklines fill
picture top
