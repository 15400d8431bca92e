// The card of the members of a node that several processes share. A node alone has none.

import { byID, el, put } from "./dom.js";
import { ago, bytesText, count, plural, rate, span } from "./format.js";

export class Members {
  // choose gets the name of the member whose peers the table of peers is to show; empty: all.
  constructor(choose) {
    this.choose = choose;
    this.rows = new Map(); // by name
    this.body = byID("members");
    byID("peers-member").addEventListener("change", (e) => this.choose(e.target.value));
  }

  // update returns the name of this member, or nothing if the node is alone.
  update(view) {
    const members = view.members;
    byID("members-box").hidden = !members;
    document.body.classList.toggle("shared", Boolean(members));
    if (!members) return undefined;
    const total = members.total;
    put(byID("members-note"), `${count(members.list.length)} in all, ${plural(total.peers, "peer", "peers")} connected, ${count(total.established)} of ${count(total.max)} connections`);
    put(byID("members-silent"), silentText(members));
    this.place(members.list, view.t);
    this.offer(members.list.map((m) => m.name));
    return members.self;
  }

  place(list, now) {
    const here = new Set(list.map((m) => m.name));
    for (const [name, row] of this.rows) {
      if (here.has(name)) continue;
      row.line.remove();
      this.rows.delete(name);
    }
    list.forEach((m, i) => {
      const row = this.rows.get(m.name) ?? this.add(m.name);
      this.paint(row, m, now);
      if (this.body.children[i] !== row.line) this.body.insertBefore(row.line, this.body.children[i] ?? null);
    });
  }

  add(name) {
    const row = {
      name: el("button", { type: "button", class: "name", "aria-pressed": "false", title: "Show only its peers" }, name), about: el("span", { class: "under" }),
      state: el("span", { class: "badge" }), address: el("span", { class: "under" }), connections: el("span"), gauge: el("span", { class: "gauge" }),
      received: el("td", { class: "num extra" }), sent: el("td", { class: "num extra" }), dropped: el("td", { class: "num extra" }),
      memory: el("td", { class: "num extra" }), uptime: el("td", { class: "num extra" }), heard: el("td", { class: "num" }), line: el("tr"),
    };
    row.name.addEventListener("click", () => this.choose(this.chosen === name ? "" : name));
    row.line.append(
      el("th", { scope: "row" }, row.name, row.about), el("td", { class: "state" }, row.state, row.address),
      el("td", { class: "num" }, row.connections, el("span", { class: "track", "aria-hidden": "true" }, row.gauge)),
      row.received, row.sent, row.dropped, row.memory, row.uptime, row.heard);
    this.rows.set(name, row);
    return row;
  }

  paint(row, m, now) {
    const n = m.numbers;
    row.line.className = m.numbers ? "" : "away";
    row.name.setAttribute("aria-pressed", this.chosen === m.name);
    put(row.about, [m.self ? "this one" : "", m.version].filter(Boolean).join(" · "));
    put(row.state, m.state);
    row.state.className = `badge member-${m.state}`;
    put(row.address, m.address);
    const lost = m.state === "lost"; // its numbers are old
    put(row.connections, lost ? "–" : `${count(m.connections)} of ${count(m.max)}`);
    row.gauge.style.width = lost ? "0" : `${100 * Math.min(1, m.connections / Math.max(1, m.max))}%`;
    put(row.received, n ? `${rate(n.row[1])}/s` : "–");
    put(row.sent, n ? `${rate(n.row[2])}/s` : "–");
    put(row.dropped, n ? `${rate(n.row[5])}/s` : "–");
    put(row.memory, n ? bytesText(n.heap) : "–");
    put(row.uptime, n ? span(m.uptime) : "–");
    put(row.heard, m.self ? "" : ago(m.heard, now));
  }

  // offer brings the names of the members into the filter of the table of peers.
  offer(names) {
    const box = byID("peers-member");
    if ([...box.options].slice(1).map((o) => o.value).join() === names.join()) return;
    box.replaceChildren(el("option", { value: "" }, "all"), ...names.map((name) => el("option", { value: name }, name)));
    if (names.includes(this.chosen)) box.value = this.chosen;
    else if (this.chosen) this.choose(""); // it has left
  }

  // mark shows which member's peers the table of peers shows.
  mark(name) {
    this.chosen = name;
    byID("peers-member").value = name;
    for (const [other, row] of this.rows) row.name.setAttribute("aria-pressed", other === name);
  }
}

// silentText names the members that have not answered.
export function silentText({ silent, list }) {
  if (!silent.length) return "";
  const lost = (name) => (list.find((m) => m.name === name)?.state === "lost" ? `${name} (lost)` : name);
  return silent.length === 1
    ? `${lost(silent[0])} does not answer: its peers and its numbers are missing on this page.`
    : `${silent.map(lost).join(", ")} do not answer: their peers and their numbers are missing on this page.`;
}
