// The way to the node: a worker with the stream. A hidden page gives its place to another one.

const patience = 30000; // milliseconds that a hidden page keeps its place

export class Stream {
  // handlers: hello, tick, log and tree get data; state gets live, stopped or lost.
  constructor(handlers) {
    this.worker = new Worker("/assets/worker.js");
    this.worker.addEventListener("message", ({ data }) => handlers[data.kind](data.data));
    document.addEventListener("visibilitychange", () => this.onVisibility());
    this.worker.postMessage({ do: "open" });
  }

  // openTree asks for the supervision tree every few seconds, or no more.
  openTree(open) { this.worker.postMessage({ do: "tree", open }); }

  onVisibility() {
    clearTimeout(this.leave);
    if (document.hidden) {
      this.leave = setTimeout(() => { this.worker.postMessage({ do: "close" }); this.asleep = true; }, patience);
    } else if (this.asleep) {
      this.asleep = false;
      this.worker.postMessage({ do: "open" });
    }
  }
}
