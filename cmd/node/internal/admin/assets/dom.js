// Making elements. Text goes in as text, never as markup: peers choose some of it.

export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children); // strings become text nodes
  return node;
}

export function byID(id) { return document.getElementById(id); }

// put sets a text only when it is another one, so that nothing is drawn or read out again for nothing.
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function calm() { return matchMedia("(prefers-reduced-motion: reduce)").matches; }
