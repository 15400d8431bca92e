// The node and its peers as a graph: many peers of one role are one spot. The table of peers holds the same as text.

import { byID, calm, put, svg } from "./dom.js";
import { count, plural, tripText } from "./format.js";
import { identicon } from "./identicon.js";
import { plan } from "./model.js";

const most = 24; // peers that are drawn one by one, of those with a role that is not a group
const mostNarrow = 12; // on a phone
const oneRing = 14; // peers on one ring; more stand on two
const selfSize = 33;

const groupSize = 38;

// stateOf returns the state of a peer as the graph draws it.
export function stateOf(peer) {
  if (!peer.connected) return "away";
  return peer.verified ? "verified" : "unverified";
}

export class Mesh {
  // choose gets the key of a peer or group, and whether to go to it in the table.
  constructor(choose) {
    this.choose = choose;
    this.spots = new Map(); // by key, in the order in which they came
    this.box = byID("mesh");
    this.root = svg("svg", { role: "presentation" });
    this.orbit = svg("ellipse", { class: "orbit" });
    this.edges = svg("g");
    this.pulses = svg("g");
    this.nodes = svg("g");
    this.self = svg("g", { class: "self" });
    this.lonely = svg("text", { class: "lonely" }, "No peer is connected. node connect ADDR dials one.");
    this.root.append(this.orbit, this.edges, this.pulses, this.self, this.nodes, this.lonely);
    this.box.append(this.root);
    this.box.addEventListener("keydown", (event) => this.onKey(event));
    new ResizeObserver(() => this.layout(true)).observe(this.box);
  }

  // identify draws the node itself.
  identify(id) {
    const around = 2 * Math.PI * (selfSize + 6);
    this.arc = svg("circle", { class: "self-arc", r: selfSize + 6, transform: "rotate(-90)", "stroke-dasharray": around, "stroke-dashoffset": around });
    this.around = around;
    this.self.replaceChildren(svg("circle", { class: "self-ring", r: selfSize + 6 }), this.arc,
      svg("circle", { class: "plate", r: selfSize }), identicon(id, selfSize * 1.15));
    this.layout(true);
  }

  update(view, list) {
    const { single, groups } = plan(list, this.box.clientWidth < 480 ? mostNarrow : most);
    const drawn = single.length + groups.reduce((n, g) => n + g.total, 0);
    const up = list.filter((p) => p.connected).length;
    put(byID("mesh-note"), `${plural(up, "peer connected", "peers connected")}${drawn > up ? `, ${count(drawn - up)} kept but not connected` : ""}`);
    this.arc?.setAttribute("stroke-dashoffset", this.around * (1 - Math.min(1, view.established / Math.max(1, view.max))));
    const shown = new Set([...single, ...groups].map((p) => p.key));
    let moved = false;
    for (const [key, spot] of this.spots) {
      if (shown.has(key)) continue;
      for (const part of [spot.node, spot.edge, spot.chevron]) part.remove();
      this.spots.delete(key);
      moved = true;
    }
    for (const peer of single) moved = this.spot(peer, (spot) => this.paint(spot, peer), () => this.peerPicture(peer)) || moved;
    for (const group of groups) moved = this.spot(group, (spot) => this.paintGroup(spot, group), () => this.groupPicture()) || moved;
    this.lonely.style.display = this.spots.size ? "none" : "";
    this.tabStop();
    if (moved) this.layout(false);
  }

  // spot paints the spot of a peer or group. It returns true for a new one.
  spot(about, paint, picture) {
    const before = this.spots.get(about.key);
    const spot = before ?? this.add(about, picture());
    paint(spot);
    if (about.seen > spot.seen) this.pulse(spot);
    spot.seen = about.seen;
    return !before;
  }

  add(about, picture) {
    const spot = { key: about.key, x: this.cx ?? 0, y: this.cy ?? 0, seen: about.seen, ...picture };
    spot.edge = svg("line", { class: "edge" });
    spot.chevron = svg("path", { class: "chevron", d: "M-3.5,-5 L3,0 L-3.5,5" });
    spot.name = svg("text", { y: spot.size + 16 });
    spot.trip = svg("text", { class: "trip", y: spot.size + 31 });
    spot.node = svg("g", { class: "spot", role: "button", tabindex: "-1" }, ...spot.parts, spot.name, spot.trip);
    spot.node.addEventListener("click", () => this.choose(about.key, spot.group));
    spot.node.addEventListener("focus", () => this.choose(about.key, false));
    this.edges.append(spot.edge, spot.chevron);
    this.nodes.append(spot.node);
    this.spots.set(about.key, spot);
    return spot;
  }

  peerPicture(peer) {
    return { size: 20, group: false, parts: [svg("circle", { class: "plate", r: 20 }), identicon(peer.key, 22)] };
  }

  groupPicture() {
    const around = 2 * Math.PI * (groupSize - 5);
    const ring = svg("circle", { class: "share", r: groupSize - 5, transform: "rotate(-90)", "stroke-dasharray": around });
    const number = svg("text", { class: "number", y: 6 });
    return { size: groupSize, group: true, around, ring, number, parts: [svg("circle", { class: "plate", r: groupSize }), ring, number] };
  }

  paint(spot, peer) {
    const state = stateOf(peer);
    this.dress(spot, state, peer.queued > 20);
    spot.chevron.setAttribute("class", `chevron ${state}`);
    spot.inward = peer.direction === "inbound";
    put(spot.name, peer.label.length > 18 ? peer.label.slice(0, 17) + "…" : peer.label);
    put(spot.trip, peer.connected ? tripText(peer.rtt) : peer.state);
    spot.node.setAttribute("aria-label", peer.connected
      ? `${peer.label}, ${peer.direction}, ${state === "verified" ? "verified" : "not verified yet"}, round trip ${tripText(peer.rtt)}`
      : `${peer.label}, not connected`);
  }

  // paintGroup draws all peers of one role: their number, and the connected part of them as a ring.
  paintGroup(spot, group) {
    this.dress(spot, `group ${group.connected ? "verified" : "away"}`, group.queued > 20 * group.total);
    spot.chevron.setAttribute("class", "chevron away");
    spot.ring.setAttribute("stroke-dashoffset", spot.around * (1 - group.connected / group.total));
    const rest = [group.unverified && `${count(group.unverified)} unverified`, group.away && `${count(group.away)} away`].filter(Boolean).join(", ");
    put(spot.number, count(group.total));
    put(spot.name, group.role);
    put(spot.trip, rest || "all connected");
    spot.node.setAttribute("aria-label", `${plural(group.total, "peer", "peers")} of role ${group.role}, ${count(group.connected)} connected${rest ? `, ${rest}` : ""}`);
  }

  dress(spot, state, queued) {
    spot.node.setAttribute("class", `spot ${state}${spot.chosen ? " chosen" : ""}`);
    spot.edge.setAttribute("class", `edge ${state}${queued ? " queued" : ""}`);
  }

  // pulse shows that a message came from a peer.
  pulse(spot) {
    if (calm() || document.hidden) return;
    const dot = svg("circle", { class: "pulse", r: 3.6 });
    this.pulses.append(dot);
    const at = (x, y) => ({ transform: `translate(${x}px, ${y}px)` });
    dot.animate([at(spot.x, spot.y), at(this.cx, this.cy)], { duration: 700, easing: "ease-in" }).finished
      .finally(() => dot.remove());
  }

  layout(atOnce) {
    const width = this.box.clientWidth, height = this.box.clientHeight;
    if (!width || !height) return;
    this.cx = width / 2;
    this.cy = height / 2 - 6;
    this.root.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.self.setAttribute("transform", `translate(${this.cx} ${this.cy})`);
    this.lonely.setAttribute("x", this.cx);
    this.lonely.setAttribute("y", this.cy + 72);
    const rx = Math.min(width / 2 - (width < 480 ? 42 : 62), height * 0.78), ry = height / 2 - 60;
    for (const [name, value] of Object.entries({ cx: this.cx, cy: this.cy, rx, ry })) this.orbit.setAttribute(name, value);
    const n = this.spots.size;
    let i = 0;
    for (const spot of this.spots.values()) {
      const angle = (2 * Math.PI * i) / n - Math.PI / 2 + (n % 2 ? 0 : Math.PI / n);
      const far = n > oneRing && i % 2 ? 0.62 : 1;
      spot.tx = this.cx + Math.cos(angle) * rx * far;
      spot.ty = this.cy + Math.sin(angle) * ry * far;
      i++;
    }
    this.nodes.classList.toggle("crowded", n > oneRing);
    if (atOnce || calm()) for (const spot of this.spots.values()) Object.assign(spot, { x: spot.tx, y: spot.ty });
    this.move();
  }

  // move brings every peer nearer to its place, frame by frame, until all are there.
  move() {
    cancelAnimationFrame(this.frame);
    let busy = false;
    for (const spot of this.spots.values()) {
      const dx = spot.tx - spot.x, dy = spot.ty - spot.y;
      const there = Math.hypot(dx, dy) < 0.5;
      spot.x = there ? spot.tx : spot.x + dx * 0.16;
      spot.y = there ? spot.ty : spot.y + dy * 0.16;
      busy ||= !there;
      this.place(spot);
    }
    if (busy) this.frame = requestAnimationFrame(() => this.move());
  }

  place(spot) {
    const dx = spot.x - this.cx, dy = spot.y - this.cy;
    const length = Math.hypot(dx, dy) || 1;
    const from = selfSize + 12, to = length - spot.size - 2;
    const set = (name, value) => spot.edge.setAttribute(name, value);
    set("x1", this.cx + (dx / length) * from);
    set("y1", this.cy + (dy / length) * from);
    set("x2", this.cx + (dx / length) * to);
    set("y2", this.cy + (dy / length) * to);
    const middle = (from + to) / 2;
    const turn = (Math.atan2(dy, dx) * 180) / Math.PI + (spot.inward ? 180 : 0);
    spot.chevron.setAttribute("transform", `translate(${this.cx + (dx / length) * middle} ${this.cy + (dy / length) * middle}) rotate(${turn})`);
    spot.node.setAttribute("transform", `translate(${spot.x} ${spot.y})`);
  }

  mark(key) {
    for (const spot of this.spots.values()) {
      spot.chosen = spot.key === key;
      spot.node.classList.toggle("chosen", spot.chosen);
    }
    this.current = key;
    this.tabStop();
  }

  // tabStop makes the graph one stop of the Tab key; arrow keys go on from there.
  tabStop() {
    const stop = this.spots.has(this.current) ? this.current : this.spots.keys().next().value;
    for (const spot of this.spots.values()) spot.node.setAttribute("tabindex", spot.key === stop ? "0" : "-1");
  }

  onKey(event) {
    const keys = [...this.spots.keys()];
    const at = keys.findIndex((key) => this.spots.get(key).node === document.activeElement);
    if (at < 0) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      this.spots.get(keys[(at + step + keys.length) % keys.length]).node.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      this.choose(keys[at], true);
    } else {
      return;
    }
    event.preventDefault();
  }
}
