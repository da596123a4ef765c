// Talking to the kernel: a request, its reply, and what happens when there is none.
//
// A kernel or a server that dies says nothing. So every request has a limit, and an idle page asks now and then; when
// nothing comes, the page waits until a server answers and loads itself anew. The server keeps all that matters.

const SILENCE_MS = 12000; // longer than the server waits for a locked database
const PING_MS = 5000;
const POLL_MS = 1500;
const LONGEST_WAIT_MS = 60000;
const RELOADS = "ganlib-reloads";

class Connection {
  /** `lost` is called once, when the kernel is taken for gone. */
  constructor(model, lost) {
    Object.assign(this, { model, lost, pending: new Map(), number: 0, last: performance.now(), gone: false });
    this.listener = (message, buffers) => this.receive(message, buffers);
    model.on("msg:custom", this.listener);
    this.timer = setInterval(() => this.watch(), 500);
  }

  dispose() {
    clearInterval(this.timer);
    this.model.off("msg:custom", this.listener);
  }

  /** Send a request; the promise holds the reply, with its binary parts as `buffers`. */
  request(content) {
    const key = `${++this.number}`;
    return new Promise((resolve) => {
      this.pending.set(key, { resolve, since: performance.now() });
      this.model.send({ ...content, key });
    });
  }

  receive(message, buffers) {
    this.last = performance.now();
    const waiting = this.pending.get(message.key);
    this.pending.delete(message.key);
    if (!this.gone) sessionStorage.removeItem(RELOADS);
    waiting?.resolve({ ...message, buffers });
  }

  watch() {
    if (this.gone) return;
    const now = performance.now();
    if ([...this.pending.values()].some(({ since }) => now - since > SILENCE_MS)) this.giveUp();
    else if (!this.pending.size && now - this.last > PING_MS) this.request({ kind: "ping" });
  }

  giveUp() {
    this.gone = true;
    this.lost();
    // Each reload in vain waits twice as long: thirty pages must not keep a server down that is about to come up.
    const reloads = Number(sessionStorage.getItem(RELOADS) ?? 0);
    sessionStorage.setItem(RELOADS, reloads + 1);
    setTimeout(() => this.reloadWhenServed(), Math.min(POLL_MS * 2 ** reloads, LONGEST_WAIT_MS));
  }

  async reloadWhenServed() {
    try {
      // Any answer will do; opening the page itself would start a kernel for each try.
      await fetch(`${location.origin}${document.body.dataset.baseUrl ?? "/"}static/voila.js`, {
        method: "HEAD",
        cache: "no-store",
      });
      location.reload();
    } catch {
      setTimeout(() => this.reloadWhenServed(), POLL_MS);
    }
  }
}
