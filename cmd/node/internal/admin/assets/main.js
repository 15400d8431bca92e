// The dashboard: brings what the node says to the panels.

import { Charts } from "./charts.js";
import { byID, el, put, svg } from "./dom.js";
import { clock, plural, shortID, span, tripText } from "./format.js";
import { identicon } from "./identicon.js";
import { Mesh } from "./mesh.js";
import { Drops, Log, Peers, Tiles, Tree } from "./panels.js";
import { Stream } from "./stream.js";

const names = new Map(); // of peers, by node ID
let instance, version, view, chosen;

const choose = (id, go) => {
  chosen = id;
  mesh.mark(id);
  peers.mark(id, go);
  detail();
};

const tiles = new Tiles();
const charts = new Charts();
const mesh = new Mesh(choose);
const peers = new Peers(choose);
const drops = new Drops();
const tree = new Tree();
const log = new Log((id) => names.get(id) ?? shortID(id));

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
  const { id, name } = hello.identity;
  document.title = `${name} · go-p2p node`;
  put(byID("node-name"), name);
  put(byID("node-id"), id);
  put(byID("node-version"), version.replace(/ \(.*/, ""));
  byID("node-version").title = version;
  byID("avatar").replaceChildren(svg("g", { transform: "translate(24 24)" }, identicon(id, 30)));
  mesh.identify(id);
  charts.begin(hello.history);
  drops.begin(hello.drops);
}

function onTick(next) {
  view = next;
  if (names.size > 2000) names.clear(); // strangers may bring any number of names
  for (const p of view.peers) names.set(p.id, p.name || shortID(p.id));
  put(byID("node-address"), { accepting: view.address, dialling: "does not listen, only dials", stopping: "stopping" }[view.state]);
  put(byID("node-auth"), view.auth === "allowlist" ? "the allowlist" : "any key");
  put(byID("node-uptime"), span(view.uptime));
  charts.add(view.row);
  for (const panel of [tiles, mesh, peers, drops, tree, log]) panel.update(view);
  detail();
  if (shown && Date.now() - shown > 15000) notice("");
}

// detail says all about the peer that was chosen last.
function detail() {
  const p = view?.peers.find((peer) => peer.id === chosen);
  const box = byID("mesh-detail");
  if (!p) {
    put(box, "");
    return;
  }
  const parts = [p.id, p.role, p.address || "no address", p.connected ? `${p.direction}, ${p.verified ? "verified" : "not verified yet"}` : "not connected",
    p.connected ? `round trip ${tripText(p.rtt)}` : "", p.connected ? `${plural(p.queued, "message", "messages")} waiting` : "", p.session, p.pinned ? "pinned: has spoken session/1" : "", p.persistent ? "kept connected" : ""];
  const text = ` ${parts.filter(Boolean).join(" · ")}`;
  if (box.textContent !== p.name + text) box.replaceChildren(el("strong", {}, p.name), text);
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
  put(byID("stream-text"), { live: "live", stopped: "stopped", lost: "no answer" }[state] ?? state);
  if (state === "stopped") notice(`The node was stopped at ${clock(Date.now())}. This page goes on by itself once it is there again.`);
  if (state === "lost") notice(`The node does not answer since ${clock(Date.now())}. This page tries again every second.`);
}

byID("copy-id").addEventListener("click", async () => {
  await navigator.clipboard.writeText(byID("node-id").textContent);
  byID("copy-id").setAttribute("aria-label", "Copied");
  setTimeout(() => byID("copy-id").setAttribute("aria-label", "Copy the node ID"), 2000);
});

new Stream("/events", { hello: onHello, tick: onTick, log: (entry) => log.add(entry), state: onState });
