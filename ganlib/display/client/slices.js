// Slices by position: cache, requests, prefetch, and the watch over a kernel that no longer answers.

/** Values of an image from its 16-bit codes; `holes` are the pixels whose value is not finite. */
function decode(view, [offset, step]) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice(); // a copy, for its alignment
  const codes = new Uint16Array(bytes.buffer);
  const values = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) values[i] = offset + step * codes[i];
  values.holes = [];
  for (let i = codes.indexOf(NOT_FINITE); i >= 0; i = codes.indexOf(NOT_FINITE, i + 1)) values.holes.push(i);
  for (const hole of values.holes) values[hole] = NaN;
  return values;
}

class SliceStore {
  constructor(model, { arrived, failed, silent, scored, answered = () => {} }) {
    Object.assign(this, { model, arrived, failed, silent, scored, answered });
    this.cache = new Map(); // a Map keeps the order of insertion: the first key is the one unused for longest
    this.bytes = 0;
    this.received = 0;
    this.queue = [];
    this.pending = new Map();
    this.model.on("msg:custom", (this.listener = (message, buffers) => this.receive(message, buffers)));
    this.timer = setInterval(() => this.watch(), 1000);
    this.lastPing = performance.now();
  }

  dispose() {
    clearInterval(this.timer);
    this.model.off("msg:custom", this.listener);
  }

  get(key) {
    const slice = this.cache.get(key);
    if (!slice) return null;
    this.cache.delete(key);
    this.cache.set(key, slice);
    return slice;
  }

  /** What is wanted now, most urgent first. It replaces what was wanted before, so that nothing piles up. */
  want(keys) {
    this.queue = keys.filter((key) => !this.cache.has(key) && !this.pending.has(key));
    this.pump();
  }

  pump() {
    while (this.queue.length && this.pending.size < REQUESTS_AT_ONCE) {
      const key = this.queue.shift();
      const [direction, subject, slice] = key.split("|");
      this.send({ kind: "slice", key, direction, subject, slice: Number(slice) });
    }
  }

  send(request) {
    this.pending.set(request.key, performance.now());
    this.model.send(request);
  }

  receive(message, buffers) {
    this.pending.delete(message.key);
    this.silent(false);
    if (message.kind === "failure") this.failed(message.key, message.text);
    if (message.kind === "slice") this.keep(message, buffers);
    if (message.kind === "scores") this.scored(message);
    if (!["failure", "slice", "scores", "pong"].includes(message.kind)) this.answered(message);
    this.pump();
  }

  keep({ key, scales }, buffers) {
    let next = 0;
    const images = scales.map((scale) => (scale ? decode(buffers[next++], scale) : null));
    const mask = buffers[next];
    const bytes = images.reduce((sum, image) => sum + (image ? image.byteLength : 0), mask.byteLength);
    const [source, target, ...synthetic] = images;
    this.received = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
    this.cache.set(key, {
      source,
      target,
      synthetic,
      bytes,
      mask: new Uint8Array(mask.buffer, mask.byteOffset, mask.byteLength).slice(),
    });
    this.bytes += bytes;
    while (this.bytes > CACHE_BYTES && this.cache.size > 1) this.drop(this.cache.keys().next().value);
    this.arrived(key);
  }

  drop(key) {
    this.bytes -= this.cache.get(key).bytes;
    this.cache.delete(key);
  }

  watch() {
    const now = performance.now();
    const late = [...this.pending].filter(([, since]) => now - since > SILENCE_MS);
    late.forEach(([key]) => this.pending.delete(key)); // asked again with the next move: the connection may come back
    if (late.length) this.silent(true);
    if (now - this.lastPing < PING_MS || document.hidden || this.pending.size) return;
    this.lastPing = now;
    this.send({ kind: "ping", key: "ping" });
  }
}
