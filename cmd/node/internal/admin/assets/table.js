// The table of peers: search, filters, order and pages. Only the rows of one page exist.

import { byID, el, put, svg } from "./dom.js";
import { ago, bytesText, count, span, tripText, until } from "./format.js";
import { identicon } from "./identicon.js";
import { describe } from "./detail.js";
import { roleOf, select } from "./model.js";

const pageSize = 25;

export class Table {
  // choose gets the key of a peer whose details are opened, or nothing. chooseMember gets the member whose peers are
  // shown; it calls change.
  constructor(choose, chooseMember) {
    this.choose = choose;
    this.chooseMember = chooseMember;
    this.rows = new Map(); // by key
    this.body = byID("peers");
    this.page = 0;
    this.filter = { text: "", member: "", role: "", state: "", order: "state", reversed: false };
    this.more = el("tr", { class: "more", id: "peer-detail" }, el("td", { colspan: "10" }));
    byID("peers-search").addEventListener("input", (e) => this.change({ text: e.target.value }));
    for (const name of ["role", "state", "order"]) {
      byID(`peers-${name}`).addEventListener("change", (e) => this.change({ [name]: e.target.value, ...(name === "order" && { reversed: false }) }));
    }
    this.heads = [...document.querySelectorAll("#peers-head [data-order]")];
    for (const head of this.heads) {
      head.addEventListener("click", () => {
        const order = head.dataset.order;
        this.change({ order, reversed: this.filter.order === order && !this.filter.reversed });
      });
    }
    byID("peers-back").addEventListener("click", () => this.turn(-1));
    byID("peers-next").addEventListener("click", () => this.turn(1));
  }

  change(filter) {
    Object.assign(this.filter, filter);
    this.page = 0;
    byID("peers-search").value = this.filter.text;
    for (const name of ["role", "state", "order"]) byID(`peers-${name}`).value = this.filter[name];
    for (const head of this.heads) {
      const own = head.dataset.order === this.filter.order;
      if (own) head.parentNode.setAttribute("aria-sort", this.filter.reversed ? "descending" : "ascending");
      else head.parentNode.removeAttribute("aria-sort");
    }
    this.draw();
  }

  turn(by) {
    this.page += by;
    this.draw();
    byID("peers-title").scrollIntoView({ block: "nearest" });
  }

  update(view, list) {
    this.view = view;
    this.list = list;
    const up = list.filter((p) => p.connected).length;
    const left = Math.max(0, view.listed - list.length);
    put(byID("peers-note"), list.length ? `${count(up)} connected, ${count(list.length - up)} not connected${left ? `, ${count(left)} more not listed` : ""}` : "");
    this.draw();
  }

  draw() {
    if (!this.list) return;
    const found = select(this.list, this.filter);
    const pages = Math.max(1, Math.ceil(found.length / pageSize));
    this.page = Math.min(Math.max(0, this.page), pages - 1);
    const first = this.page * pageSize;
    const shown = found.slice(first, first + pageSize);
    byID("peers-tools").hidden = byID("peers-table").hidden = this.list.length === 0;
    byID("peers-empty").hidden = this.list.length > 0;
    byID("peers-none").hidden = found.length > 0 || this.list.length === 0;
    byID("peers-pages").hidden = pages < 2;
    byID("peers-back").disabled = this.page === 0;
    byID("peers-next").disabled = this.page === pages - 1;
    put(byID("peers-range"), found.length ? `${first + 1} to ${first + shown.length} of ${found.length}` : "");
    this.place(shown);
  }

  place(shown) {
    const here = new Set(shown.map((p) => p.key));
    for (const [key, row] of this.rows) {
      if (here.has(key)) continue;
      row.line.remove();
      this.rows.delete(key);
    }
    const lines = [];
    for (const peer of shown) {
      const row = this.rows.get(peer.key) ?? this.add(peer);
      this.paint(row, peer);
      lines.push(row.line);
      if (peer.key !== this.opened) continue;
      describe(this.more.firstChild, peer, this.view.t);
      lines.push(this.more);
    }
    if (!here.has(this.opened)) this.more.remove();
    lines.forEach((line, i) => {
      if (this.body.children[i] !== line) this.body.insertBefore(line, this.body.children[i] ?? null);
    });
  }

  add(peer) {
    const picture = svg("svg", { viewBox: "-14 -14 28 28", "aria-hidden": "true" }, identicon(peer.key, 19));
    const row = {
      name: el("button", { type: "button", class: "name", "aria-controls": "peer-detail" }), about: el("span", { class: "under" }),
      state: el("span", { class: "badge" }), way: el("span", { class: "under" }), member: el("td", { class: "member of-shared" }), address: el("td", { class: "address" }),
      format: el("span"), agent: el("span", { class: "under" }), trip: el("span"), clock: el("span", { class: "under" }),
      messages: el("td", { class: "num messages" }), dropped: el("td", { class: "num dropped" }),
      queue: el("td", { class: "num queue" }), seen: el("td", { class: "num seen" }), line: el("tr", { tabindex: "-1" }), path: svg("polyline"),
    };
    row.spark = svg("svg", { class: "spark", viewBox: "0 0 62 18", "aria-hidden": "true" }, row.path);
    row.line.append(
      el("td", {}, el("div", { class: "peer" }, picture, el("div", {}, row.name, row.about))),
      el("td", { class: "state" }, row.state, row.way), row.member, row.address, el("td", { class: "format" }, row.format, row.agent),
      el("td", { class: "num trip" }, row.spark, row.trip, row.clock), row.messages, row.dropped, row.queue, row.seen);
    row.line.addEventListener("click", () => {
      if (!getSelection().toString()) this.choose(peer.key === this.opened ? undefined : peer.key);
    });
    this.rows.set(peer.key, row);
    return row;
  }

  paint(row, peer) {
    const now = this.view.t;
    row.line.className = `${peer.connected ? "" : "away"}${peer.key === this.chosen ? " chosen" : ""}`;
    row.name.setAttribute("aria-expanded", peer.key === this.opened);
    put(row.name, peer.label);
    put(row.about, [peer.id ? peer.id.slice(0, 8) : "no answer yet", peer.id && roleOf(peer)].filter(Boolean).join(" · "));
    put(row.state, peer.revoked ? `${peer.state}, revoked` : peer.state);
    row.state.className = `badge ${peer.state}`;
    put(row.way, wayOf(peer, now));
    put(row.member, peer.member || "–");
    put(row.address, peer.address || "–");
    put(row.format, [peer.session, peer.pinned ? "pinned" : ""].filter(Boolean).join(", ") || "–");
    put(row.agent, peer.agent);
    put(row.trip, peer.connected ? tripText(peer.rtt) : "–");
    put(row.clock, peer.connected ? clockText(peer.skew) : "");
    put(row.messages, peer.connected ? `${count(peer.received)} in, ${count(peer.sent)} out` : "–");
    put(row.dropped, peer.connected ? count(peer.dropped) : "–");
    put(row.queue, peer.connected ? (peer.queued ? `${count(peer.queued)} · ${bytesText(peer.queuedBytes)}` : "0") : "–");
    put(row.seen, ago(peer.seen, now));
    this.sparkline(row, peer);
  }

  // sparkline draws the last round trips.
  sparkline(row, { trips }) {
    if (row.trips === trips) return;
    row.trips = trips;
    row.spark.style.visibility = trips.length > 5 ? "" : "hidden";
    const high = Math.max(...trips) || 1;
    row.path.setAttribute("points", trips.map((t, i) => `${((i + 24 - trips.length) * 62) / 23},${17 - (t / high) * 15}`).join(" "));
  }

  // mark marks a peer and opens or closes its details. With go it also turns to its page, without filters if they hide it.
  mark(key, go, open) {
    this.chosen = key;
    this.opened = open ? key : undefined;
    if (!go) {
      this.draw();
      return;
    }
    let found = select(this.list, this.filter).findIndex((p) => p.key === key);
    if (found < 0) {
      this.chooseMember("");
      this.change({ text: "", role: "", state: "" });
      found = select(this.list, this.filter).findIndex((p) => p.key === key);
    }
    this.page = Math.floor(found / pageSize);
    this.draw();
    const row = this.rows.get(key);
    row?.line.scrollIntoView({ block: "center", behavior: "smooth" });
    row?.line.focus({ preventScroll: true });
  }

  // showRole lists the peers of one role.
  showRole(role) {
    this.chooseMember("");
    this.change({ text: "", role, state: "" });
    byID("peers-title").scrollIntoView({ block: "start", behavior: "smooth" });
  }
}

// wayOf says how a peer is connected, or how its dials go.
export function wayOf(peer, now) {
  if (peer.connected) return peer.direction === "inbound" ? "dialled us" : "we dialled";
  return dialText(peer, now) || (peer.persistent ? "kept" : "");
}

export function dialText(peer, now) {
  const parts = [];
  if (peer.attempts) parts.push(`${count(peer.attempts)} failed ${peer.attempts === 1 ? "dial" : "dials"}`);
  if (peer.nextDial) parts.push(`next ${until(peer.nextDial, now)}`);
  if (peer.lastError) parts.push(peer.lastError);
  return parts.join(", ");
}

// clockText says by how much a peer's clock is ahead or behind. Less than 100 ms is travel time.
export function clockText(skew) {
  if (Math.abs(skew) < 100) return "";
  const text = Math.abs(skew) < 1000 ? `${Math.abs(Math.round(skew))} ms` : span(Math.abs(skew) / 1000);
  return `clock ${text} ${skew > 0 ? "ahead" : "behind"}`;
}
