// The node and its peers as a graph. The table of peers holds the same for those who cannot see it.

import { byID, calm, put, svg } from "./dom.js";
import { plural, shortID, tripText } from "./format.js";
import { identicon } from "./identicon.js";

const most = 40; // peers that are drawn
const oneRing = 14; // peers on one ring; more stand on two
const selfSize = 33;

export function stateOf(peer) {
  if (!peer.connected) return "away";
  return peer.verified ? "verified" : "unverified";
}

export class Mesh {
  constructor(choose) {
    this.choose = choose;
    this.spots = new Map(); // by node ID, in the order in which they came
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

  update(view) {
    const shown = view.peers.filter((p) => p.connected || p.persistent).slice(0, most);
    const hidden = view.peers.filter((p) => p.connected || p.persistent).length - shown.length;
    const up = shown.filter((p) => p.connected).length;
    put(byID("mesh-note"), hidden > 0 ? `${plural(up, "peer", "peers")} drawn, ${hidden} more in the table` : plural(up, "peer connected", "peers connected"));
    this.arc?.setAttribute("stroke-dashoffset", this.around * (1 - Math.min(1, view.established / Math.max(1, view.max))));
    const alive = new Set(shown.map((p) => p.id));
    let moved = false;
    for (const [id, spot] of this.spots) {
      if (alive.has(id)) continue;
      spot.node.remove();
      spot.edge.remove();
      spot.chevron.remove();
      this.spots.delete(id);
      moved = true;
    }
    for (const peer of shown) {
      let spot = this.spots.get(peer.id);
      if (!spot) {
        spot = this.add(peer);
        moved = true;
      }
      this.paint(spot, peer);
    }
    this.lonely.style.display = this.spots.size ? "none" : "";
    this.tabStop();
    if (moved) this.layout(false);
  }

  add(peer) {
    const spot = { id: peer.id, x: this.cx ?? 0, y: this.cy ?? 0, seen: peer.seen };
    spot.edge = svg("line", { class: "edge" });
    spot.chevron = svg("path", { class: "chevron", d: "M-3.5,-5 L3,0 L-3.5,5" });
    spot.name = svg("text", { y: 36 });
    spot.trip = svg("text", { class: "trip", y: 51 });
    spot.node = svg("g", { class: "spot", role: "button", tabindex: "-1" }, svg("circle", { class: "plate", r: 20 }), identicon(peer.id, 22), spot.name, spot.trip);
    spot.node.addEventListener("click", () => this.choose(peer.id, false));
    spot.node.addEventListener("focus", () => this.choose(peer.id, false));
    this.edges.append(spot.edge, spot.chevron);
    this.nodes.append(spot.node);
    this.spots.set(peer.id, spot);
    return spot;
  }

  paint(spot, peer) {
    const state = stateOf(peer);
    const label = peer.name || shortID(peer.id);
    spot.node.setAttribute("class", `spot ${state}${spot.chosen ? " chosen" : ""}`);
    spot.edge.setAttribute("class", `edge ${state}${peer.queued > 20 ? " queued" : ""}`);
    spot.chevron.setAttribute("class", `chevron ${state}`);
    spot.inward = peer.direction === "inbound";
    put(spot.name, label.length > 18 ? label.slice(0, 17) + "…" : label);
    put(spot.trip, peer.connected ? tripText(peer.rtt) : "away");
    spot.node.setAttribute("aria-label", peer.connected
      ? `${label}, ${peer.direction}, ${state === "verified" ? "verified" : "not verified yet"}, round trip ${tripText(peer.rtt)}`
      : `${label}, not connected`);
    if (peer.connected && peer.seen > spot.seen) this.pulse(spot);
    spot.seen = peer.seen;
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
    const from = selfSize + 12, to = length - 22;
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

  mark(id) {
    for (const spot of this.spots.values()) {
      spot.chosen = spot.id === id;
      spot.node.classList.toggle("chosen", spot.chosen);
    }
    this.current = id;
    this.tabStop();
  }

  // tabStop makes the graph one stop of the Tab key; arrow keys go on from there.
  tabStop() {
    const stop = this.spots.has(this.current) ? this.current : this.spots.keys().next().value;
    for (const spot of this.spots.values()) spot.node.setAttribute("tabindex", spot.id === stop ? "0" : "-1");
  }

  onKey(event) {
    const ids = [...this.spots.keys()];
    const at = ids.findIndex((id) => this.spots.get(id).node === document.activeElement);
    if (at < 0) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      this.spots.get(ids[(at + step + ids.length) % ids.length]).node.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      this.choose(ids[at], true);
    } else {
      return;
    }
    event.preventDefault();
  }
}
