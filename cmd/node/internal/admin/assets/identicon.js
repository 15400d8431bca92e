// A small picture for a node ID, so that people know a peer again by sight.

import { svg } from "./dom.js";

// identicon returns a group of size × size around (0, 0): five columns, symmetric, in a colour of the ID's own.
export function identicon(id, size) {
  const bits = [];
  for (const digit of id.padEnd(16, "0").slice(0, 16)) {
    const n = parseInt(digit, 16) || 0;
    bits.push(n & 1, (n >> 1) & 1, (n >> 2) & 1, (n >> 3) & 1);
  }
  const hue = (parseInt(id.slice(16, 20), 16) || 0) % 360;
  const cell = size / 5;
  const group = svg("g", { class: "icon", "shape-rendering": "crispEdges" });
  group.style.fill = `hsl(${hue} 52% 52%)`;
  for (let x = 0; x < 3; x++) {
    for (let y = 0; y < 5; y++) {
      if (!bits[x * 5 + y + 20]) continue;
      for (const column of x === 2 ? [2] : [x, 4 - x]) {
        group.append(svg("rect", { x: column * cell - size / 2, y: y * cell - size / 2, width: cell + 0.2, height: cell + 0.2 }));
      }
    }
  }
  return group;
}
