// The peers of the node, from the changes that the stream brings, and pure functions that select, sort and group them.

// The columns of a peer's numbers, as the node sends them.
const numbers = ["rtt", "queued", "queuedBytes", "seen", "received", "sent", "dropped", "skew"];
const trips = 24; // round trips that are kept of each peer

export class PeerStore {
  constructor() { this.byKey = new Map(); }

  // apply takes the peers of one tick. It reports whether a name may have changed.
  apply(tick) {
    if (tick.full) {
      const here = new Set(tick.peers.map((change) => change.k));
      for (const key of this.byKey.keys()) if (!here.has(key)) this.byKey.delete(key);
    }
    for (const key of tick.gone) this.byKey.delete(key);
    let named = false;
    for (const change of tick.peers) {
      let peer = this.byKey.get(change.k);
      if (!peer) this.byKey.set(change.k, peer = { key: change.k, trips: [], rtt: 0 });
      if (change.f) {
        peer.member = ""; // absent in the facts of a peer without one
        Object.assign(peer, change.f);
        peer.label = peer.alias || peer.name || peer.id.slice(0, 8) || peer.address;
        peer.text = [peer.alias, peer.name, peer.id, peer.address, ...peer.addresses, peer.role, peer.agent, peer.session,
          peer.state, peer.lastError, peer.member].join("\n").toLowerCase();
        named = true;
      }
      if (change.n) this.count(peer, change.n);
      if (change.c !== undefined) peer.counts = change.c;
    }
    return named;
  }

  count(peer, values) {
    const before = peer.rtt;
    numbers.forEach((name, i) => { peer[name] = values[i]; });
    if (!peer.connected) peer.trips = [];
    else if (peer.rtt && peer.rtt !== before) peer.trips = peer.trips.concat(peer.rtt).slice(-trips);
  }

  get(key) { return this.byKey.get(key); }

  list() { return [...this.byKey.values()]; }
}

// roles are those that a handshake permits. An address at which no peer has answered has none.
export const roles = ["controller", "worker", "dual", "unknown"];

export function roleOf(peer) { return roles.includes(peer.role) ? peer.role : "unknown"; }

export function stateRank(peer) { return ["connected", "unverified", "dialling", "waiting", "away"].indexOf(peer.state); }

// importance orders peers as long as nothing else is asked for: those that should be connected and are not, those that
// are, then the rest.
function importance(peer) {
  if (peer.state === "connected") return 1;
  if (peer.persistent) return 0;
  return peer.connected ? 2 : 3;
}

const collator = new Intl.Collator(undefined, { numeric: true }); // much faster than localeCompare
const byNumber = (pick) => (a, b) => pick(b) - pick(a);
const byName = (a, b) => collator.compare(a.label, b.label) || (a.key < b.key ? -1 : 1);
const unmeasured = (n) => n || Infinity;

// orders are the sort orders of the table: the most interesting end first.
export const orders = {
  state: (a, b) => importance(a) - importance(b) || stateRank(a) - stateRank(b),
  name: byName,
  role: (a, b) => roles.indexOf(roleOf(a)) - roles.indexOf(roleOf(b)),
  address: (a, b) => collator.compare(a.address, b.address),
  rtt: (a, b) => unmeasured(a.rtt) === unmeasured(b.rtt) ? 0 : unmeasured(a.rtt) - unmeasured(b.rtt),
  clock: byNumber((p) => Math.abs(p.skew)),
  messages: byNumber((p) => p.received + p.sent),
  dropped: byNumber((p) => p.dropped),
  queue: byNumber((p) => p.queuedBytes),
  seen: byNumber((p) => p.seen),
  member: (a, b) => !a.member - !b.member || collator.compare(a.member, b.member),
};

// select returns the peers that match, sorted. filter has text, member, role, state, order and reversed; empty: any.
export function select(peers, filter) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = peers.filter((p) => (!filter.member || p.member === filter.member) && (!filter.role || roleOf(p) === filter.role) && (!filter.state || p.state === filter.state) &&
    words.every((word) => p.text.includes(word)));
  const order = orders[filter.order], turn = filter.reversed ? -1 : 1;
  return found.sort((a, b) => turn * order(a, b) || byName(a, b));
}

// plan splits the peers of the graph into single ones and one group for each role: as many single ones as limit permits,
// the smallest roles first, so that a few controllers stay visible beside many workers.
export function plan(peers, limit) {
  const byRole = new Map(roles.map((role) => [role, []]));
  for (const p of peers) {
    if (p.connected || p.persistent) byRole.get(roleOf(p)).push(p);
  }
  const single = [], groups = [];
  for (const [role, members] of [...byRole].sort((a, b) => a[1].length - b[1].length)) {
    if (single.length + members.length <= limit) single.push(...members);
    else groups.push(groupOf(role, members));
  }
  return { single, groups };
}

function groupOf(role, members) {
  const group = { key: `role:${role}`, role, total: members.length, connected: 0, unverified: 0, queued: 0, seen: 0 };
  for (const p of members) {
    if (p.state in group) group[p.state]++;
    group.queued += p.queued;
    group.seen = Math.max(group.seen, p.connected ? p.seen : 0);
  }
  group.away = group.total - group.connected - group.unverified;
  return group;
}
