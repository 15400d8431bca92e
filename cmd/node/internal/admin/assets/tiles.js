// Tiles are the numbers of this moment.

import { byID, el, put } from "./dom.js";
import { bytes, bytesText, count, plural, rate, trip, tripText } from "./format.js";

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

  // update takes the view of a node alone, or the totals over its members.
  update(view, list) {
    const [, received, sent, bytesIn, bytesOut, drops, , median, slowest, queued] = view.row;
    const c = view.counters;
    const full = view.established / Math.max(1, view.max);
    const known = view.members ? `on ${plural(view.members, "member", "members")}` : `${plural(view.known, "peer", "peers")} known`;
    const pending = view.pending ? `, ${view.pending} in handshake` : "";
    this.set("connections", [count(view.established), `of ${count(view.max)}`], `${known}${pending}`, full > 0.9 ? "heed" : "")
      .gauge.style.width = `${100 * full}%`;
    this.set("received", [rate(received), "msg/s"], `${bytesText(bytesIn)}/s · ${count(c.messagesReceived)} in all`);
    this.set("sent", [rate(sent), "msg/s"], `${bytesText(bytesOut)}/s · ${count(c.messagesSent)} in all`);
    this.set("dropped", [rate(drops), "/s"], drops ? "see the reasons below" : "nothing at the moment", drops ? "alert" : "");
    this.set("trip", trip(median), slowest ? `slowest ${tripText(slowest)}` : "not measured yet");
    this.set("queue", [count(queued), queued === 1 ? "message" : "messages"], bytesText(list.reduce((n, p) => n + p.queuedBytes, 0)), queued > 1000 ? "heed" : "");
    this.set("memory", bytes(view.heap), plural(view.goroutines, "goroutine", "goroutines"));
  }
}
