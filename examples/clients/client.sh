#!/bin/sh
# A client of the control API (docs/api.md) with curl 7.76 or later.
#
#   client.sh SOCKET status
#   client.sh SOCKET peers
#   client.sh SOCKET send PEER TYPE PAYLOAD
#   client.sh SOCKET request PEER TYPE PAYLOAD
#   client.sh SOCKET watch TYPE
#
# PAYLOAD is JSON. PEER and TYPE are words without quotes or backslashes: the script puts them into JSON as they are. The
# answer is the JSON of the node; an error goes to standard output, too, with exit status 22. To answer messages from a
# shell, use `node handle`.
set -eu

socket=$1 command=$2
shift 2

call() {
  curl --silent --show-error --fail-with-body --unix-socket "$socket" "$@"
}

message() {
  printf '{"peer": "%s", "type": "%s", "payload": %s}' "$1" "$2" "$3"
}

case $command in
status) call http://node/v1/status ;;
peers)
  # The first page of at most 1,000 entries. With a key "next", the following page is peers?after=NEXT.
  call http://node/v1/peers
  ;;
send) message "$@" | call http://node/v1/send --data-binary @- ;;
request) message "$@" | call http://node/v1/request --data-binary @- ;;
watch)
  # Each event has a line "data: JSON". Comments begin with a colon; the first is ": open".
  call --no-buffer --get --data-urlencode "type=$1" http://node/v1/events
  ;;
*)
  echo "unknown command $command" >&2
  exit 2
  ;;
esac
