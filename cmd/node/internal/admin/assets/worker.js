// A worker that reads the node's server-sent events, opens them again whenever they end, and hands them to the page.
// Here and not in the page, because a browser writes each failed request of a page to its console, and none of a
// worker. JSON is parsed here, too, so that the page only draws.

const retry = 1000; // milliseconds
const silence = 6000; // milliseconds without a tick: the node does not answer any more
const treeEvery = 2000; // milliseconds between two requests of the supervision tree

let source, timer, watchdog, state;
let treeOpen = false, treeAt = 0;

function connect() {
  hangUp();
  source = new EventSource("/events");
  for (const kind of ["hello", "tick", "log"]) {
    source.addEventListener(kind, (event) => {
      become("live");
      watch();
      postMessage({ kind, data: JSON.parse(event.data) });
      if (kind === "tick") askTree();
    });
  }
  source.addEventListener("bye", () => again("stopped"));
  source.addEventListener("error", () => again("lost"));
  watch();
}

// again closes the stream and opens it after a while: also where a browser would give up, as after a 503.
function again(next) {
  hangUp();
  if (!(next === "lost" && state === "stopped")) become(next);
  timer = setTimeout(connect, retry);
}

function hangUp() {
  source?.close();
  clearTimeout(timer);
  clearTimeout(watchdog);
}

function watch() {
  clearTimeout(watchdog);
  watchdog = setTimeout(() => again("lost"), silence);
}

function become(next) {
  if (state === next) return;
  state = next;
  postMessage({ kind: "state", data: state });
}

async function askTree() {
  if (!treeOpen || Date.now() - treeAt < treeEvery) return;
  treeAt = Date.now();
  try {
    const answer = await fetch("/tree");
    if (answer.ok) postMessage({ kind: "tree", data: await answer.json() });
  } catch {
    // The stream says that the node does not answer.
  }
}

onmessage = ({ data }) => {
  switch (data.do) {
    case "open": connect(); break;
    case "close": hangUp(); break;
    case "tree":
      treeOpen = data.open;
      treeAt = 0;
      askTree();
  }
};
