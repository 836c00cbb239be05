// A world whose clock stands still until it is moved.

export class World {
  base = "http://chat.test/";
  at = 1_700_000_000_000;
  #timers = new Map();
  #next = 1;
  #ids = 1;

  now = () => this.at;
  random = () => 1;
  uuid = () => `id${this.#ids++}`;

  setTimeout = (work, ms) => {
    this.#timers.set(this.#next, { at: this.at + ms, work });
    return this.#next++;
  };

  clearTimeout = (id) => this.#timers.delete(id);

  get timers() {
    return this.#timers.size;
  }

  /** Moves on, timer by timer, and lets what they set off come to rest. */
  async pass(ms) {
    const end = this.at + ms;
    for (;;) {
      await settled();
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.at = Math.max(this.at, due[1].at);
      due[1].work();
    }
    this.at = end;
    await settled();
  }
}

export async function settled() {
  for (let n = 0; n < 6; n += 1) await new Promise(setImmediate);
}

export const message = (n, more = {}) => ({ client_id: `m${n}`, chat_id: "choir", content: `number ${n}`, at: 1_700_000_000_000 + n, user: "ada", state: "waiting", tries: 0, ...more });

/** A place to keep rows that fails as one likes: `fails` holds names of what does. */
export class Place {
  rows = new Map();
  fails = new Set();

  constructor(kind) {
    this.kind = kind;
  }

  async #may(what) {
    if (this.fails.has(what)) throw new Error(`${what} fails`);
  }

  async all() {
    await this.#may("all");
    return [...this.rows.values()];
  }

  async get(id) {
    await this.#may("get");
    return this.rows.get(id);
  }

  async put(row) {
    await this.#may("put");
    this.rows.set(row.client_id, row);
  }

  async remove(id) {
    await this.#may("remove");
    this.rows.delete(id);
  }
}
