// Tiles, peers, drops, tree and log.

import { byID, el, put, svg } from "./dom.js";
import { ago, bytes, bytesText, clock, count, plural, rate, shortID, span, trip, tripText } from "./format.js";
import { identicon } from "./identicon.js";
import { stateOf } from "./mesh.js";

const words = { verified: "verified", unverified: "not verified yet", away: "away", pending: "in handshake", closing: "closing" };

// Tiles are the numbers of this moment.
export class Tiles {
  constructor() {
    this.tiles = {};
    for (const [name, title] of Object.entries({
      connections: "Connections", received: "Received", sent: "Sent", dropped: "Dropped", trip: "Round trip", queue: "Waiting to be sent", memory: "Memory",
    })) {
      const t = { value: el("span"), unit: el("span", { class: "unit" }), more: el("p", { class: "more" }), gauge: el("span", { class: "gauge" }) };
      t.box = el("article", { class: "tile" }, el("h3", {}, title), el("p", { class: "value" }, t.value, t.unit), t.more);
      if (name === "connections") t.box.append(el("span", { class: "track", "aria-hidden": "true" }, t.gauge));
      byID("tiles").append(t.box);
      this.tiles[name] = t;
    }
  }

  set(name, [value, unit], more, mood = "") {
    const t = this.tiles[name];
    put(t.value, value);
    put(t.unit, unit);
    put(t.more, more);
    t.box.className = `tile ${mood}`;
    return t;
  }

  update(view) {
    const [, received, sent, bytesIn, bytesOut, drops, , median, slowest, queued] = view.row;
    const c = view.counters;
    const full = view.established / Math.max(1, view.max);
    const pending = view.pending ? `, ${view.pending} in handshake` : "";
    this.set("connections", [count(view.established), `of ${count(view.max)}`], `${plural(view.known, "peer", "peers")} known${pending}`, full > 0.9 ? "heed" : "")
      .gauge.style.width = `${100 * full}%`;
    this.set("received", [rate(received), "msg/s"], `${bytesText(bytesIn)}/s · ${count(c.messagesReceived)} in all`);
    this.set("sent", [rate(sent), "msg/s"], `${bytesText(bytesOut)}/s · ${count(c.messagesSent)} in all`);
    this.set("dropped", [rate(drops), "/s"], drops ? "see the reasons below" : "nothing at the moment", drops ? "alert" : "");
    this.set("trip", trip(median), slowest ? `slowest ${tripText(slowest)}` : "not measured yet");
    this.set("queue", [count(queued), queued === 1 ? "message" : "messages"], bytesText(view.peers.reduce((n, p) => n + p.queuedBytes, 0)), queued > 1000 ? "heed" : "");
    this.set("memory", bytes(view.heap), plural(view.goroutines, "goroutine", "goroutines"));
  }
}

// Peers is the table, one row a peer, kept from tick to tick.
export class Peers {
  constructor(choose) {
    this.choose = choose;
    this.rows = new Map();
    this.body = byID("peers");
  }

  update(view) {
    const up = view.peers.filter((p) => p.connected).length;
    const left = Math.max(0, view.known - view.peers.length);
    put(byID("peers-note"), view.peers.length ? `${count(up)} connected, ${count(view.peers.length - up)} known besides${left ? `, ${count(left)} more not shown` : ""}` : "");
    byID("peers-empty").hidden = view.peers.length > 0;
    this.body.closest("table").hidden = view.peers.length === 0;
    const alive = new Set(view.peers.map((p) => p.id));
    for (const [id, row] of this.rows) {
      if (!alive.has(id)) {
        row.line.remove();
        this.rows.delete(id);
      }
    }
    view.peers.forEach((peer, i) => {
      const row = this.rows.get(peer.id) ?? this.add(peer);
      if (this.body.children[i] !== row.line) this.body.insertBefore(row.line, this.body.children[i] ?? null);
      this.paint(row, peer, view.t);
    });
  }

  add(peer) {
    const picture = svg("svg", { viewBox: "-14 -14 28 28", "aria-hidden": "true" }, identicon(peer.id, 19));
    const row = {
      name: el("b"), state: el("span", { class: "badge" }), way: el("span", { class: "way" }), address: el("td", { class: "address" }),
      trip: el("span"), queue: el("td", { class: "num queue" }), seen: el("td", { class: "num seen" }), trips: [],
      line: el("tr"), path: svg("polyline"),
    };
    row.spark = svg("svg", { class: "spark", viewBox: "0 0 62 18", "aria-hidden": "true" }, row.path);
    row.line.append(
      el("td", {}, el("div", { class: "peer" }, picture, el("div", {}, row.name, el("code", { title: peer.id }, shortID(peer.id))))),
      el("td", {}, row.state, row.way), row.address, el("td", { class: "num" }, row.spark, row.trip), row.queue, row.seen);
    row.line.addEventListener("click", () => this.choose(peer.id, false));
    this.rows.set(peer.id, row);
    return row;
  }

  paint(row, peer, now) {
    const state = stateOf(peer);
    row.line.classList.toggle("away", !peer.connected);
    put(row.name, peer.name || "(no name)");
    put(row.state, words[state]);
    row.state.className = `badge ${state}`;
    put(row.way, [peer.connected ? (peer.direction === "inbound" ? "dialled us" : "we dialled") : peer.persistent ? "kept" : "", peer.session, peer.pinned ? "pinned" : ""].filter(Boolean).join(", "));
    put(row.address, peer.address || "–");
    put(row.trip, peer.connected ? tripText(peer.rtt) : "–");
    put(row.queue, peer.connected ? (peer.queued ? `${count(peer.queued)} · ${bytesText(peer.queuedBytes)}` : "0") : "–");
    put(row.seen, ago(peer.seen, now));
    this.sparkline(row, peer);
  }

  // sparkline draws the last round trips: a new one only when it was measured anew.
  sparkline(row, peer) {
    if (!peer.connected) row.trips = [];
    if (peer.rtt && row.trips.at(-1) !== peer.rtt) row.trips = row.trips.concat(peer.rtt).slice(-24);
    row.spark.style.visibility = row.trips.length > 5 ? "" : "hidden";
    const high = Math.max(...row.trips) || 1;
    row.path.setAttribute("points", row.trips.map((t, i) => `${((i + 24 - row.trips.length) * 62) / 23},${17 - (t / high) * 15}`).join(" "));
  }

  mark(id, go) {
    for (const [own, row] of this.rows) row.line.classList.toggle("chosen", own === id);
    if (go) this.rows.get(id)?.line.scrollIntoView({ block: "center", behavior: "smooth" });
  }
}

// Drops are the reasons for which something was lost.
export class Drops {
  begin(reasons) {
    this.reasons = reasons.map((r) => ({ ...r, count: el("span", { class: "count" }), rate: el("span", { class: "rate" }), bar: el("span") }));
    this.none = el("li", { class: "none" });
    byID("drops").replaceChildren(...this.reasons.map((r) => {
      r.line = el("li", {}, el("span", {}, r.label), el("span", {}, r.count, r.rate), el("span", { class: "bar", "aria-hidden": "true" }, r.bar));
      return r.line;
    }), this.none);
    this.last = undefined;
  }

  update(view) {
    const most = Math.max(1, ...this.reasons.map((r) => view.counters[r.counter] ?? 0));
    let all = 0;
    for (const r of this.reasons) {
      const n = view.counters[r.counter] ?? 0;
      const more = this.last ? n - (this.last[r.counter] ?? 0) : 0;
      all += n;
      put(r.count, count(n));
      put(r.rate, more > 0 ? `+${count(more)}` : "");
      r.line.hidden = !n;
      // A square root keeps the small ones visible beside a flood.
      r.bar.style.width = `${100 * Math.sqrt(n / most)}%`;
    }
    const none = this.reasons.filter((r) => !view.counters[r.counter]).map((r) => r.label);
    put(this.none, none.length ? `${all ? "None" : "Nothing was lost. None"} for: ${none.join(", ")}.` : "");
    put(byID("drops-note"), all ? `${count(all)} since the start` : "nothing since the start");
    this.last = view.counters;
  }
}

// Tree is the supervision tree.
export class Tree {
  update(view) {
    const t = view.tree;
    put(byID("tree-note"), `${plural(t.total, "connection", "connections")}, ${plural(t.restarts + t.stopped, "actor failed", "actors failed")} since the start`);
    const line = (...parts) => el("div", { class: "limb" }, ...parts);
    const pill = (n, what) => el("span", { class: n ? "count-pill hurt" : "count-pill" }, `${count(n)} ${what}`);
    const connections = t.connections.map((c) => el("li", {}, line(
      el("b", {}, c.name || (c.peer ? shortID(c.peer) : "not identified yet")), el("span", { class: `badge ${c.state}` }, words[c.state] ?? c.state),
      el("span", { class: "age" }, `${c.direction}${c.peer && !c.route ? ", spare" : ""}, for ${span((view.t - c.since) / 1000)}`), el("code", {}, c.actor.replace(/^.*\//, "")))));
    if (t.total > t.connections.length) connections.push(el("li", { class: "age" }, `and ${count(t.total - t.connections.length)} more`));
    byID("tree").replaceChildren(
      line(el("b", {}, "Transport")),
      el("ul", {}, el("li", {}, line(el("b", {}, "Registry"), pill(t.restarts, "restarts"), pill(t.stopped, "connections stopped by a panic"), el("code", {}, t.registry)),
        el("ul", {}, ...connections))));
  }
}

// Log is the list of events, the newest first.
export class Log {
  constructor(nameOf) {
    this.nameOf = nameOf;
    this.list = byID("log");
    this.last = 0;
  }

  // begin follows another run of the node.
  begin() { this.last = 0; }

  add(entry) {
    if (entry.seq <= this.last) return;
    this.last = entry.seq;
    this.write(entry, Date.now() - entry.t < 5000);
  }

  // write adds a line, also one of the page's own.
  write(entry, fresh) {
    if (entry.kind === "dial failed" && this.again(entry)) return;
    const time = el("time", {}, clock(entry.t));
    const words = el("span", {}, entry.text);
    const who = el("span", { class: "who-was-it" });
    if (entry.peer && entry.kind !== "connected") { // which begins with the name
      who.dataset.peer = entry.peer;
      who.textContent = `${this.nameOf(entry.peer)} `;
    }
    this.list.prepend(el("li", fresh ? { class: "fresh" } : {}, time, el("span", { class: `mood ${entry.mood}`, "aria-hidden": "true" }),
      el("p", {}, el("span", { class: "kind" }, entry.kind), who, words)));
    this.top = { kind: entry.kind, text: entry.text, times: 1, time, words };
    while (this.list.children.length > 200) this.list.lastChild.remove();
  }

  // update brings in names that were not known yet when their lines were written.
  update() {
    for (const who of this.list.querySelectorAll("[data-peer]")) put(who, `${this.nameOf(who.dataset.peer)} `);
  }

  // again counts a dial that has failed like the one before it, and reports whether that was all there is to write.
  again(entry) {
    const what = (text) => text.replace(/; next try in .*/, "");
    if (this.top?.kind !== entry.kind || what(this.top.text) !== what(entry.text)) return false;
    this.top.times++;
    put(this.top.time, clock(entry.t));
    put(this.top.words, `${entry.text} (${this.top.times} times in a row)`);
    return true;
  }
}
