#!/usr/bin/env node
// A client of the control API (docs/api.md) with nothing but the modules of Node.js 18 or later.
//
//   client.mjs SOCKET peers
//   client.mjs SOCKET send PEER TYPE PAYLOAD
//   client.mjs SOCKET request PEER TYPE PAYLOAD
//   client.mjs SOCKET watch TYPE
//   client.mjs SOCKET answer TYPE
//
// PAYLOAD is JSON. watch prints the messages of a type. answer replies to messages whose payload is an array of numbers
// with their sum.

import http from "node:http";

// The node sends a heartbeat on a stream every 15 seconds.
const streamTimeout = 30_000;

/** An error of the node. Programs look at code; message contains the node's message and advice, for people. */
export class APIError extends Error {
  constructor(status, body) {
    super(`${body.code}: ${body.message}${body.advice ? ": " + body.advice : ""}`);
    this.status = status;
    this.code = body.code;
    this.remoteCode = body.remoteCode;
  }
}

/** A running node, by the path of its control socket. Each request has a connection of its own. */
export class Node {
  constructor(socketPath) {
    this.socketPath = socketPath;
  }

  /** Sends a request and resolves to the response. Rejects with an APIError for any status but 200. */
  open(method, path, body, timeout) {
    return new Promise((resolve, reject) => {
      const request = http.request({ socketPath: this.socketPath, method, path, agent: false });
      request.setTimeout(timeout, () => request.destroy(new Error(`no byte from the node for ${timeout} ms`)));
      request.on("error", reject);
      request.on("response", (response) => {
        response.setEncoding("utf8");
        if (response.statusCode === 200) {
          resolve(response);
          return;
        }
        text(response).then((json) => reject(new APIError(response.statusCode, JSON.parse(json))), reject);
      });
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Sends a request and resolves to the JSON of the answer. The timeout is in milliseconds. */
  async call(method, path, body, timeout = 30_000) {
    // The node's own timeout comes first and explains itself.
    return JSON.parse(await text(await this.open(method, path, body, timeout + 5000)));
  }

  /** Yields all known peers, page by page. */
  async *peers() {
    for (let query = new URLSearchParams(); ; ) {
      const page = await this.call("GET", `/v1/peers?${query}`);
      yield* page.peers;
      if (page.next === undefined) {
        return;
      }
      query.set("after", page.next);
    }
  }

  /** Sends a message and resolves to its ID. */
  async send(peer, type, payload, replyTo) {
    return (await this.call("POST", "/v1/send", { peer, type, payload, replyTo })).id;
  }

  /** Sends a message and resolves to the payload of the reply. */
  async request(peer, type, payload, timeoutMs = 30_000) {
    return (await this.call("POST", "/v1/request", { peer, type, payload, timeoutMs }, timeoutMs)).payload;
  }

  /** Yields events: messages of some types, and events by name. Without both, all events. */
  events({ types = [], names = [], opened = () => {} } = {}) {
    const query = new URLSearchParams(types.map((type) => ["type", type]));
    if (names.length > 0) {
      query.set("events", names.join(","));
    }
    return this.stream("GET", `/v1/events?${query}`, undefined, opened);
  }

  /** Replies to each message of a type with reply(payload), until the node stops. */
  async answer(type, reply, opened) {
    for await (const event of this.stream("POST", "/v1/handle", { type }, opened)) {
      if (event.event !== "message") {
        continue; // lost: the node itself has refused messages; stopped; events of later versions
      }
      const { id, from, payload } = event.message;
      let answer;
      try {
        answer = [`${type}_reply`, await reply(payload)];
      } catch (error) {
        answer = ["error", { code: 1004, message: error.message }]; // the peer waits for a reply
      }
      await this.send(from, ...answer, id).catch((error) => console.error(`no reply to ${id}: ${error.message}`));
    }
  }

  /** Yields the events of a stream until the node stops. From opened() on, no event is missed. */
  async *stream(method, path, body, opened) {
    const response = await this.open(method, path, body, streamTimeout);
    try {
      let rest = "";
      for await (const chunk of response) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop();
        for (const line of lines) {
          if (line === ": open") {
            opened();
          } else if (line.startsWith("data: ")) {
            yield JSON.parse(line.slice("data: ".length));
          }
        }
      }
    } finally {
      response.destroy();
    }
  }
}

async function text(response) {
  let all = "";
  for await (const chunk of response) {
    all += chunk;
  }
  return all;
}

function sum(numbers) {
  if (!Array.isArray(numbers) || !numbers.every(Number.isFinite)) {
    throw new Error("the payload is not an array of numbers");
  }
  return numbers.reduce((total, n) => total + n, 0);
}

async function main([socketPath, command, ...args]) {
  const node = new Node(socketPath);
  const opened = () => console.log("open");
  switch (command) {
    case "peers":
      for await (const peer of node.peers()) {
        console.log(peer.id || peer.address, peer.state);
      }
      break;
    case "send":
      console.log(await node.send(args[0], args[1], JSON.parse(args[2])));
      break;
    case "request":
      console.log(JSON.stringify(await node.request(args[0], args[1], JSON.parse(args[2]))));
      break;
    case "watch":
      for await (const event of node.events({ types: [args[0]], opened })) {
        console.log(JSON.stringify(event));
      }
      break;
    case "answer":
      await node.answer(args[0], sum, opened);
      break;
    default:
      throw new Error("usage: client.mjs SOCKET peers|send|request|watch|answer …");
  }
}

if (process.argv[1] && import.meta.url.endsWith("/client.mjs")) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(`client.mjs: ${error.message}`);
    process.exitCode = 1;
  });
}
