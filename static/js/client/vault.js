/**
 * Where messages wait that could not be sent yet: in IndexedDB; where that fails, in
 * localStorage (a worker has none); else in memory, as long as this script runs.
 */

import { browserStores } from "./stores.js";

const MOST = 500;
const MOST_BYTES = 2_000_000;
const STATES = new Set(["waiting", "failed"]);

/** Too much waits already; `message` is for programs, `code` is "outbox_full". */
export class Full extends Error {
  name = "Full";
  code = "outbox_full";
}

/** Rows are told apart by `client_id`, people by `user`; different servers have different vaults. */
export class Vault {
  #stores;
  #at = 0;
  #held = new Map();

  /** `base`: address of the server. `stores`: best first; the last must never fail. */
  constructor({ base, stores = browserStores(base) }) {
    this.#stores = stores;
  }

  /** "IndexedDB", "localStorage" or "memory": what takes new rows now. */
  get kind() {
    return this.#stores[this.#at].kind;
  }

  /** All rows of this person, oldest first. What cannot be read or is no row is passed over. */
  async load(user) {
    const found = new Map();
    for (let at = this.#at; at < this.#stores.length; at += 1) {
      const rows = await this.#stores[at].all().catch(() => this.#fall(this.#stores[at]));
      for (const row of rows ?? []) if (isRow(row) && row.user === user && !found.has(row.client_id)) found.set(row.client_id, row);
    }
    for (const [id, row] of found) this.#held.set(id, row);
    return [...found.values()].sort((a, b) => a.at - b.at);
  }

  /** Whether a row is still kept; another tab may have removed it. */
  async has(id) {
    const store = this.#stores[this.#at];
    return (await store.get(id).catch(() => true)) !== undefined;
  }

  /** Keeps a row, or what it is now. Throws Full. */
  async put(row) {
    const others = [...this.#held.values()].filter((one) => one.user === row.user && one.client_id !== row.client_id);
    const bytes = others.reduce((sum, one) => sum + size(one), size(row));
    if (others.length >= MOST || bytes > MOST_BYTES) throw new Full("too many messages wait");
    this.#held.set(row.client_id, structuredClone(row));
    await this.#write(row);
  }

  async remove(id) {
    this.#held.delete(id);
    await Promise.all(this.#stores.map((store) => store.remove(id).catch(() => {})));
  }

  /** Nothing of this person is left in the browser. */
  async clear(user) {
    const rows = await Promise.all(this.#stores.map((store) => store.all().catch(() => [])));
    const ids = rows.flat().filter((row) => row?.user === user).map((row) => row.client_id);
    for (const row of this.#held.values()) if (row.user === user) ids.push(row.client_id);
    await Promise.all([...new Set(ids)].map((id) => this.remove(id)));
  }

  async #write(row) {
    const store = this.#stores[this.#at];
    await store.put(row).catch(() => this.#fall(store));
  }

  /** This store is given up: the next one takes what it held. */
  async #fall(store) {
    if (this.#stores[this.#at] === store) this.#at += 1;
    for (const row of this.#held.values()) await this.#write(row);
  }
}

function size(row) {
  return JSON.stringify(row).length;
}

function isRow(row) {
  if (typeof row !== "object" || row === null) return false;
  const texts = [row.client_id, row.chat_id, row.content, row.user];
  return texts.every((text) => typeof text === "string") && Number.isFinite(row.at) && STATES.has(row.state);
}
