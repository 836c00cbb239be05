/**
 * Deadlines kept by the wall clock with one timer of the environment. Browsers let the timers
 * of hidden pages run once a minute; whoever gets a message calls `tick`, which runs what is due.
 */

const LATE_MS = 10000;

export class Timers {
  #world;
  #waiting = new Map();
  #next = 1;
  #armed = null;

  /** `onLate(ms)`: the machine slept, or nothing ran here for so long. */
  constructor(world, onLate = () => {}) {
    this.#world = world;
    this.onLate = onLate;
  }

  /** Runs `work` once after `ms`; returns what takes it back. */
  after(ms, work) {
    const id = this.#next++;
    this.#waiting.set(id, { at: this.#world.now() + ms, work });
    this.#arm();
    return () => this.#waiting.delete(id);
  }

  /** Runs what is due. */
  tick() {
    const now = this.#world.now();
    const due = [...this.#waiting].filter(([, { at }]) => at <= now).sort((a, b) => a[1].at - b[1].at);
    for (const [id, { work }] of due) if (this.#waiting.delete(id)) work();
    this.#arm();
  }

  clear() {
    this.#waiting.clear();
    this.#world.clearTimeout(this.#armed?.timer);
    this.#armed = null;
  }

  #arm() {
    let first = null;
    for (const [id, { at }] of this.#waiting) if (!first || at < first.at) first = { id, at };
    if (this.#armed?.id === first?.id) return;
    this.#world.clearTimeout(this.#armed?.timer);
    this.#armed = first && { ...first, timer: this.#world.setTimeout(() => this.#ring(), Math.max(0, first.at - this.#world.now())) };
  }

  #ring() {
    const { id, at } = this.#armed;
    this.#armed = null;
    const late = this.#world.now() - at;
    // A clock that is late by a little must not hold up what has waited its time.
    if (late < 0 && this.#waiting.has(id)) this.#waiting.get(id).at = this.#world.now();
    if (late > LATE_MS) this.onLate(late);
    this.tick();
  }
}
