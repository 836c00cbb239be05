/**
 * Time that passes only when a test says so. Two kinds of timers hang on it: those of the world
 * outside (network, server), and those of the client, which can be throttled like a hidden page's and
 * stand still while the machine sleeps. After each timer all promises are let run to their end.
 */

const EPOCH_MS = Date.UTC(2026, 0, 5);
const MINUTE_MS = 60000;
const MOST_AT_ONCE = 20000; // timers that run at the same time

/** Lets every chain of promises run until nothing moves without a timer: ticks come behind all of them. */
export const settle = () => new Promise((resolve) => process.nextTick(resolve));

export class Clock {
  #elapsed = 0;
  #wall = EPOCH_MS;
  #queue = [];
  #count = 0;
  #byId = new Map();
  #throttled = false;
  #asleep = false;
  #same = 0;
  /** What timers threw: nothing of the client may throw out of one. */
  errors = [];

  /** ms since the clock was made; goes on evenly, whatever is done to the client's wall clock. */
  get elapsed() {
    return this.#elapsed;
  }

  get isAsleep() {
    return this.#asleep;
  }

  /** The clock that the client reads, in whole ms of Unix time. */
  now = () => this.#wall + Math.floor(this.#elapsed);

  /** A timer of the world outside; returns what takes it back. */
  after(ms, work) {
    const timer = this.#add(ms, work, false);
    return () => (timer.work = null);
  }

  /** The client's own `setTimeout` and `clearTimeout`. */
  setTimeout = (work, ms = 0) => {
    const timer = this.#add(Math.max(0, Number(ms) || 0), work, true);
    this.#byId.set(timer.n, timer);
    return timer.n;
  };

  clearTimeout = (id) => {
    const timer = this.#byId.get(id);
    if (timer) timer.work = null;
    this.#byId.delete(id);
  };

  /** The client's timers run only when a minute is full, as those of a page long hidden; what waited for that runs when it is over. */
  throttle(isThrottled) {
    this.#throttled = isThrottled;
    if (!isThrottled) this.#move((timer) => Math.max(timer.due, this.#elapsed));
  }

  /** The wall clock is set, by `ms` forward or back. */
  step(ms) {
    this.#wall += ms;
  }

  /** The machine sleeps: time passes outside, and the client's timers stand still. */
  async sleep(ms) {
    this.#move((timer) => (timer.due = timer.at + ms));
    this.#asleep = true;
    await this.advance(ms);
    this.#asleep = false;
  }

  async advance(ms) {
    await this.until(() => false, ms);
  }

  /** Goes on until `isDone()`, at most `ms`; whether it was done. */
  async until(isDone, ms) {
    const end = this.#elapsed + ms;
    await settle();
    while (!isDone()) {
      const next = this.#queue[0];
      if (!next || next.at > end) {
        this.#elapsed = end;
        return isDone();
      }
      pop(this.#queue);
      if (next.work && !this.#held(next)) await this.#run(next);
    }
    return true;
  }

  async #run(timer) {
    this.#same = timer.at > this.#elapsed ? 0 : this.#same + 1;
    if (this.#same > MOST_AT_ONCE) throw new Error(`it runs in circles at ${this.#elapsed} ms: ${timer.work}`);
    this.#elapsed = Math.max(this.#elapsed, timer.at);
    const { work } = timer;
    timer.work = null;
    this.#byId.delete(timer.n);
    try {
      work();
    } catch (error) {
      this.errors.push(error);
    }
    await settle();
  }

  /** Sets the time of each of the client's timers. */
  #move(timeOf) {
    for (const timer of this.#byId.values()) timer.at = timeOf(timer);
    this.#queue.sort((a, b) => (before(a, b) ? -1 : 1));
  }

  /** Whether a timer of the client must wait for the full minute. */
  #held(timer) {
    const full = Math.ceil(timer.at / MINUTE_MS) * MINUTE_MS;
    if (!timer.isClients || !this.#throttled || full <= timer.at) return false;
    timer.at = full;
    push(this.#queue, timer);
    return true;
  }

  #add(ms, work, isClients) {
    const timer = { at: this.#elapsed + ms, due: this.#elapsed + ms, n: ++this.#count, work, isClients };
    push(this.#queue, timer);
    return timer;
  }
}

const before = (a, b) => a.at < b.at || (a.at === b.at && a.n < b.n);

function push(heap, item) {
  let i = heap.push(item) - 1;
  for (let up; i > 0 && before(item, heap[(up = (i - 1) >> 1)]); i = up) heap[i] = heap[up];
  heap[i] = item;
}

function pop(heap) {
  const first = heap[0];
  const last = heap.pop();
  if (heap.length) sink(heap, 0, last);
  return first;
}

function sink(heap, at, item) {
  let i = at;
  for (;;) {
    let down = 2 * i + 1;
    if (down >= heap.length) break;
    if (down + 1 < heap.length && before(heap[down + 1], heap[down])) down += 1;
    if (!before(heap[down], item)) break;
    heap[i] = heap[down];
    i = down;
  }
  heap[i] = item;
}
