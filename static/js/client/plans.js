/** What is to be done later, by name: each thing once, at the earliest time that was asked for. */
export class Plans {
  #world;
  #timers;
  #waiting = new Map();

  constructor(world, timers) {
    this.#world = world;
    this.#timers = timers;
  }

  at(name, ms, work) {
    const at = this.#world.now() + ms;
    if (this.#waiting.get(name)?.at <= at) return;
    this.drop(name);
    const cancel = this.#timers.after(ms, () => (this.#waiting.delete(name), work()));
    this.#waiting.set(name, { at, cancel });
  }

  drop(name) {
    this.#waiting.get(name)?.cancel();
    this.#waiting.delete(name);
  }

  clear() {
    for (const name of [...this.#waiting.keys()]) this.drop(name);
  }

  /** The time (ms) of this thing, or null. */
  when(name) {
    return this.#waiting.get(name)?.at ?? null;
  }
}
