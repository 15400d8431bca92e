// The dashboard: brings what the node says to the panels.

import { Charts } from "./charts.js";
import { byID, el, put, svg } from "./dom.js";
import { clock, plural, shortID, span, tripText } from "./format.js";
import { identicon } from "./identicon.js";
import { Members } from "./members.js";
import { Mesh } from "./mesh.js";
import { PeerStore, roleOf } from "./model.js";
import { Drops, Log, Tree } from "./panels.js";
import { Stream } from "./stream.js";
import { Table } from "./table.js";
import { Tiles } from "./tiles.js";

const names = new Map(); // of peers, by node ID; longer than the peers are listed
let instance, version, view, chosen, name = "", member;

const peers = new PeerStore();
const tiles = new Tiles();
const charts = new Charts();
const mesh = new Mesh((key, go) => {
  if (go && key.startsWith("role:")) table.showRole(key.slice(5));
  choose(key, go);
});
const members = new Members(showMember);
const table = new Table((key) => choose(key, false, true), showMember);
const drops = new Drops();
const tree = new Tree((open) => stream.openTree(open));
const log = new Log((id) => names.get(id) ?? shortID(id));

// showMember lists the peers of one member; empty: of all.
function showMember(name) {
  members.mark(name);
  table.change({ member: name });
}

// choose marks a peer or group, with go turns to the row of a peer, and with open opens its details.
function choose(key, go, open = go) {
  chosen = key;
  mesh.mark(key);
  table.mark(key, go && peers.get(key), open);
  detail();
}

function onHello(hello) {
  if (version !== undefined && version !== hello.version) {
    location.reload(); // another binary, and so perhaps another page
    return;
  }
  if (instance !== undefined && instance !== hello.instance) {
    notice(`The node was restarted; it answers again since ${clock(Date.now())}.`, true);
    log.begin();
    log.write({ t: Date.now(), mood: "info", kind: "restarted", text: "another run of the node from here on" }, true);
  } else if (instance !== undefined) {
    notice("");
  }
  ({ instance, version } = hello);
  const { id } = hello.identity;
  ({ name } = hello.identity);
  entitle(undefined);
  put(byID("node-name"), name);
  put(byID("node-id"), id);
  put(byID("node-version"), version.replace(/ \(.*/, ""));
  byID("node-version").title = version;
  byID("avatar").replaceChildren(svg("g", { transform: "translate(24 24)" }, identicon(id, 30)));
  mesh.identify(id);
  charts.begin(hello.history);
  drops.begin(hello.drops);
}

// entitle names the member that shows this page, if the node has several.
function entitle(self) {
  member = self;
  document.title = [name, self, "go-p2p node"].filter(Boolean).join(" · ");
  put(byID("node-member"), self ?? "");
  for (const of of document.querySelectorAll(".of-self")) put(of, self ? `, of ${self}` : "");
}

function onTick(next) {
  view = next;
  const self = members.update(view);
  if (self !== member) entitle(self);
  const named = peers.apply(next), list = peers.list();
  if (named) {
    if (names.size > 5000) names.clear(); // strangers may bring any number of names
    for (const p of list) if (p.id) names.set(p.id, p.label);
    log.rename();
  }
  put(byID("node-address"), {
    accepting: view.address, dialling: "does not listen, only dials", draining: "draining: its peers move to other members", stopping: "stopping",
  }[view.state]);
  put(byID("node-auth"), view.auth === "allowlist" ? "the allowlist" : "any key");
  put(byID("node-uptime"), span(view.uptime));
  charts.add(view.row);
  const all = view.members?.total ?? { ...view, members: 0 }; // the numbers of all members
  tiles.update(all, list);
  drops.update(all, silentNames(view));
  mesh.update(all, list);
  table.update(view, list);
  tree.update(view);
  detail();
  if (shown && Date.now() - shown > 15000) notice("");
}

// silentNames returns which members' numbers are missing in the totals.
function silentNames({ members: all }) { return all ? all.list.filter((m) => !m.numbers).map((m) => m.name).join() : ""; }

// detail says the most important of the peer that was chosen last.
function detail() {
  const p = peers.get(chosen);
  const box = byID("mesh-detail");
  if (!p) {
    put(box, "");
    return;
  }
  const parts = [p.id, p.id && roleOf(p), p.address || "no address", p.connected ? `${p.direction}, ${p.verified ? "verified" : "not verified yet"}` : p.state,
    p.connected ? `round trip ${tripText(p.rtt)}` : "", p.connected ? `${plural(p.queued, "message", "messages")} waiting` : "", p.session, p.agent, p.member ? `member ${p.member}` : "", p.persistent ? "kept connected" : ""];
  const text = ` ${parts.filter(Boolean).join(" · ")}`;
  if (box.textContent !== p.label + text) box.replaceChildren(el("strong", {}, p.label), text);
}

let shown = 0; // when the notice appeared that may go by itself

function notice(text, good = false) {
  const box = byID("notice");
  shown = good ? Date.now() : 0;
  box.className = good ? "notice good" : "notice";
  box.hidden = !text;
  put(box, text);
}

function onState(state) {
  document.body.dataset.stream = state === "stopped" ? "lost" : state;
  put(byID("stream-text"), { live: "live", stopped: "stopped", lost: "lost" }[state] ?? state);
  if (state === "stopped") notice(`The node was stopped at ${clock(Date.now())}. This page goes on by itself once it is there again.`);
  if (state === "lost") notice(`The node was lost at ${clock(Date.now())}: it crashed, or the way to it is broken. This page tries again every second.`);
}

byID("copy-id").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(byID("node-id").textContent);
  } catch {
    return; // the browser permits it on this host or with TLS only
  }
  byID("copy-id").setAttribute("aria-label", "Copied");
  setTimeout(() => byID("copy-id").setAttribute("aria-label", "Copy the node ID"), 2000);
});

const stream = new Stream({
  hello: onHello, tick: onTick, log: (entry) => log.add(entry), tree: (connections) => tree.fill(connections), state: onState,
});
