// Numbers, times and texts for people.

export function count(n) {
  if (n < 10000) return String(Math.round(n));
  return compact(n);
}

function compact(n) {
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
    if (n >= size) return trim(n / size) + unit;
  }
  return trim(n);
}

function trim(n) {
  if (n >= 100 || n === 0) return String(Math.round(n));
  return n.toFixed(n >= 10 ? 1 : n >= 0.995 ? 1 : 2).replace(/\.0+$/, "");
}

// rate returns a number a second.
export function rate(n) { return compact(n); }

// bytes returns [number, unit].
export function bytes(n) {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (n >= size) return [trim(n / size), unit];
  }
  return [String(Math.round(n)), "B"];
}

export function bytesText(n) { return bytes(n).join(" "); }

// trip returns [number, unit] of milliseconds; a dash when it was not measured.
export function trip(ms) {
  if (!ms) return ["–", ""];
  if (ms < 1) return [String(Math.max(1, Math.round(ms * 1000))), "µs"];
  if (ms < 1000) return [trim(ms), "ms"];
  return [trim(ms / 1000), "s"];
}

export function tripText(ms) { return trip(ms).join(" ").trim(); }

// span returns a duration in its two largest units.
export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

// until returns the time until then, which may have passed.
export function until(then, now) {
  const s = (then - now) / 1000;
  return s < 1 ? "within 1 s" : `in ${span(s)}`;
}

export function ago(then, now) {
  if (then <= 0) return "never";
  const s = (now - then) / 1000;
  return s < 1.5 ? "now" : s < 60 ? `${Math.floor(s)} s ago` : `${span(s)} ago`.replace(/ \d+ (s|min) ago/, " ago");
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
}

export function shortID(id) { return id.slice(0, 8); }

export function plural(n, one, many) { return `${count(n)} ${n === 1 ? one : many}`; }
