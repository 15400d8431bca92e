// The way to the node: server-sent events, opened again whenever they end. A hidden page gives its place to
// another one.

const retry = 1000; // milliseconds
const silence = 6000; // milliseconds without a tick: the node does not answer any more
const patience = 30000; // milliseconds that a hidden page keeps its place

export class Stream {
  // handlers: hello, tick and log get an object; state gets connecting, live, stopped or lost.
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
    document.addEventListener("visibilitychange", () => this.onVisibility());
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    this.source = new EventSource(this.url);
    for (const kind of ["hello", "tick", "log"]) {
      this.source.addEventListener(kind, (event) => {
        this.heard();
        this.handlers[kind](JSON.parse(event.data));
      });
    }
    this.source.addEventListener("bye", () => this.again("stopped"));
    this.source.addEventListener("error", () => this.again("lost"));
    this.watch();
  }

  // again closes the stream and opens it after a while: also where a browser would give up, as after a 503.
  again(state) {
    this.close();
    if (!(state === "lost" && this.state === "stopped")) this.become(state);
    this.timer = setTimeout(() => this.open(), retry);
  }

  close() {
    this.source.close();
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
  }

  heard() {
    this.become("live");
    this.watch();
  }

  watch() {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.again("lost"), silence);
  }

  become(state) {
    if (this.state === state) return;
    this.state = state;
    this.handlers.state(state);
  }

  onVisibility() {
    clearTimeout(this.leave);
    if (document.hidden) {
      this.leave = setTimeout(() => { this.close(); this.asleep = true; }, patience);
    } else if (this.asleep) {
      this.asleep = false;
      this.open();
    }
  }
}
