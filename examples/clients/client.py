#!/usr/bin/env python3
"""A client of the control API (docs/api.md) with nothing but the standard library of Python 3.8 or later.

    client.py SOCKET peers
    client.py SOCKET send PEER TYPE PAYLOAD
    client.py SOCKET request PEER TYPE PAYLOAD
    client.py SOCKET watch TYPE
    client.py SOCKET answer TYPE

PAYLOAD is JSON. watch prints the messages of a type. answer replies to messages whose payload is an array of numbers
with their sum.
"""

import http.client
import json
import socket
import sys
import urllib.parse

# The node sends a heartbeat on a stream every 15 seconds.
STREAM_TIMEOUT = 30


class APIError(Exception):
    """An error of the node. Programs look at code; message and advice are for people."""

    def __init__(self, status, body):
        self.status = status
        self.code = body["code"]
        self.remote_code = body.get("remoteCode")
        text = body["message"]
        if "advice" in body:
            text += ": " + body["advice"]
        super().__init__(f"{self.code}: {text}")


class UnixConnection(http.client.HTTPConnection):
    """An HTTP connection over a Unix socket."""

    def __init__(self, path, timeout):
        super().__init__("node", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Node:
    """A running node, by the path of its control socket. Each request has a connection of its own."""

    def __init__(self, path):
        self.path = path

    def open(self, method, path, body=None, timeout=30):
        """Send a request and return connection and response. Raise APIError for any status but 200."""
        connection = UnixConnection(self.path, timeout)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            if response.status != 200:
                raise APIError(response.status, json.load(response))
        except BaseException:
            connection.close()
            raise
        return connection, response

    def call(self, method, path, body=None, timeout=30):
        """Send a request and return the JSON of the answer. The timeout is in seconds."""
        # The node's own timeout comes first and explains itself.
        connection, response = self.open(method, path, body, timeout + 5)
        try:
            return json.load(response)
        finally:
            connection.close()

    def peers(self):
        """Yield all known peers, page by page."""
        query = {}
        while True:
            page = self.call("GET", "/v1/peers?" + urllib.parse.urlencode(query))
            yield from page["peers"]
            if "next" not in page:
                return
            query["after"] = page["next"]

    def send(self, peer, kind, payload, reply_to=None):
        """Send a message and return its ID."""
        body = {"peer": peer, "type": kind, "payload": payload}
        if reply_to is not None:
            body["replyTo"] = reply_to
        return self.call("POST", "/v1/send", body)["id"]

    def request(self, peer, kind, payload, timeout=30):
        """Send a message and return the payload of the reply."""
        body = {"peer": peer, "type": kind, "payload": payload, "timeoutMs": int(timeout * 1000)}
        return self.call("POST", "/v1/request", body, timeout)["payload"]

    def events(self, kinds=(), names=(), opened=lambda: None):
        """Yield events: messages of some types, and events by name. Without both, all events."""
        query = [("type", kind) for kind in kinds]
        if names:
            query.append(("events", ",".join(names)))
        yield from self.stream("GET", "/v1/events?" + urllib.parse.urlencode(query), None, opened)

    def answer(self, kind, function, opened=lambda: None):
        """Reply to each message of a type with function(payload), until the node stops."""
        for event in self.stream("POST", "/v1/handle", {"type": kind}, opened):
            if event["event"] != "message":
                continue  # lost: the node itself has refused messages; stopped; events of later versions
            message = event["message"]
            try:
                reply_type, payload = kind + "_reply", function(message["payload"])
            except Exception as error:  # a failure is a reply, too: the peer waits for one
                reply_type, payload = "error", {"code": 1004, "message": str(error)}
            try:
                self.send(message["from"], reply_type, payload, message["id"])
            except APIError as error:
                print(f"no reply to {message['id']}: {error}", file=sys.stderr)

    def stream(self, method, path, body, opened):
        """Yield the events of a stream until the node stops. From opened() on, no event is missed."""
        connection, response = self.open(method, path, body, STREAM_TIMEOUT)
        try:
            for line in response:
                if line == b": open\n":
                    opened()
                elif line.startswith(b"data: "):
                    yield json.loads(line[6:])
        finally:
            connection.close()


def main(path, command, *args):
    node = Node(path)

    def opened():
        print("open", flush=True)

    if command == "peers":
        for peer in node.peers():
            print(peer["id"] or peer["address"], peer["state"])
    elif command == "send":
        print(node.send(args[0], args[1], json.loads(args[2])))
    elif command == "request":
        print(json.dumps(node.request(args[0], args[1], json.loads(args[2]))))
    elif command == "watch":
        for event in node.events(kinds=[args[0]], opened=opened):
            print(json.dumps(event), flush=True)
    elif command == "answer":
        node.answer(args[0], sum, opened)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (APIError, OSError) as failure:
        sys.exit(f"client.py: {failure}")
    except KeyboardInterrupt:
        pass
