// The cards of drops, supervision and events.

import { byID, el, put } from "./dom.js";
import { clock, count, plural, shortID, span } from "./format.js";

const words = { verified: "verified", unverified: "not verified yet", pending: "in handshake", closing: "closing" };

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

  // update takes the counters. silent names the members without numbers: if it changes, the growth is not a rate.
  update(view, silent) {
    if (silent !== this.silent) this.last = undefined;
    this.silent = silent;
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

// Tree is the supervision tree: its numbers, and its connections while it is open.
export class Tree {
  constructor(onToggle) {
    this.limbs = el("ul");
    byID("tree-box").addEventListener("toggle", () => {
      this.limbs.replaceChildren(el("li", { class: "age" }, "…"));
      onToggle(byID("tree-box").open);
    });
  }

  update(view) {
    const t = view.tree;
    this.total = t.total;
    this.now = view.t;
    put(byID("tree-note"), `${plural(t.total, "connection", "connections")}, ${plural(t.restarts + t.stopped, "actor failed", "actors failed")} since the start`);
    if (!byID("tree-box").open) return;
    const pill = (n, text) => el("span", { class: n ? "count-pill hurt" : "count-pill" }, `${count(n)} ${text}`);
    byID("tree").replaceChildren(
      this.line(el("b", {}, "Transport")),
      el("ul", {}, el("li", {}, this.line(el("b", {}, "Registry"), pill(t.restarts, "restarts"), pill(t.stopped, "connections stopped by a panic"), el("code", {}, t.registry)),
        this.limbs)));
  }

  line(...parts) { return el("div", { class: "limb" }, ...parts); }

  // fill takes the connections: those in an unusual state first, and not all of many.
  fill(connections) {
    const limbs = connections.map((c) => el("li", {}, this.line(
      el("b", {}, c.name || (c.peer ? shortID(c.peer) : "not identified yet")), el("span", { class: `badge ${c.state}` }, words[c.state] ?? c.state),
      el("span", { class: "age" }, `${c.direction}${c.peer && !c.route ? ", spare" : ""}, for ${span((this.now - c.since) / 1000)}`), el("code", {}, c.actor.replace(/^.*\//, "")))));
    if (this.total > connections.length) limbs.push(el("li", { class: "age" }, `and ${count(this.total - connections.length)} more`));
    this.limbs.replaceChildren(...limbs);
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

  // rename brings in names that were not known yet when their lines were written.
  rename() {
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
