// All about one peer, below its row in the table.

import { el, put } from "./dom.js";
import { ago, bytesText, count, plural, tripText, until } from "./format.js";

// describe fills box. It keeps the elements of the same peer, so that a selected text stays selected.
export function describe(box, peer, now) {
  const facts = factsOf(peer, now), connections = connectionsOf(peer);
  const shape = JSON.stringify([peer.key, facts.map(([name]) => name), connections.map((c) => c[0])]);
  if (box.dataset.shape !== shape) {
    box.dataset.shape = shape;
    box.replaceChildren(
      el("dl", { class: "detail" }, ...facts.map(([name]) => el("div", {}, el("dt", {}, name), el("dd")))),
      ...(connections.length ? [connectionTable(connections)] : []));
  }
  box.querySelectorAll("dd").forEach((dd, i) => put(dd, facts[i][1]));
  box.querySelectorAll("tbody td").forEach((td, i) => put(td, connections.flat()[i]));
}

function factsOf(peer, now) {
  const skew = Math.round(peer.skew);
  return [
    ["Node ID", peer.id || "no peer has answered"],
    ["Name", peer.name && `${peer.name}${peer.alias ? "" : " (claimed)"}`],
    ["Alias", peer.alias],
    ["Role", peer.role],
    ["Software", peer.agent],
    ["Address", peer.address],
    ["Kept addresses", peer.addresses.join(", ")],
    ["State", peer.state],
    ["Member", peer.member],
    ["Failed dials", peer.attempts ? count(peer.attempts) : ""],
    ["Last error", peer.lastError],
    ["Next dial", peer.nextDial ? until(peer.nextDial, now) : ""],
    ["Permission", [peer.allowed && "allowed", peer.revoked && "revoked"].filter(Boolean).join(", ")],
    ["Session", [peer.session, peer.pinned && "pinned: has spoken session/1"].filter(Boolean).join(", ")],
    ["Round trip", peer.connected ? tripText(peer.rtt) : ""],
    ["Clock", peer.skew ? `${Math.abs(skew)} ms ${skew < 0 ? "behind" : "ahead"}` : ""],
    ["Messages", peer.connected ? `${count(peer.received)} received, ${count(peer.sent)} sent, ${count(peer.dropped)} dropped` : ""],
    ["Queue", peer.connected ? `${plural(peer.queued, "message", "messages")}, ${bytesText(peer.queuedBytes)}` : ""],
    ["Last message", ago(peer.seen, now)],
  ].filter(([, value]) => value);
}

// connectionsOf returns the cells of each open connection.
function connectionsOf(peer) {
  return peer.connections.map((c, i) => [
    String(c.number), c.direction, c.verified ? "verified" : "not verified yet", c.address, c.session,
    ...(peer.counts?.[i] ?? [peer.received, peer.sent, peer.dropped]).map(count),
  ]);
}

function connectionTable(connections) {
  const names = ["Connection", "Direction", "State", "Address", "Session", "Received", "Sent", "Dropped"];
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Open connections" },
    el("table", { class: "connections" },
      el("thead", {}, el("tr", {}, ...names.map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, ...connections.map((cells) => el("tr", {}, ...cells.map(() => el("td")))))));
}
