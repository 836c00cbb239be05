/**
 * Where messages wait that could not be sent yet: in IndexedDB; where that fails, in
 * localStorage (a worker has none); else in memory, as long as this script runs. Those with files
 * wait in a database of their own, or in memory.
 */

import { browserStores, fileStores, weight } from "./stores.js";

const MOST = 500;
const MOST_BYTES = 2_000_000;
const MOST_OF_FILES = 500_000_000;
const STATES = new Set(["waiting", "failed"]);

/** Too much waits already; `message` is for programs, `code` is "outbox_full". */
export class Full extends Error {
  name = "Full";
  code = "outbox_full";
}

/** Rows are told apart by `client_id`, people by `user`; different servers have different vaults. */
export class Vault {
  #texts;
  #files;

  /** `base`: address of the server. `stores`, `files` (for rows with files): best first; the last must never fail. */
  constructor({ base, stores = browserStores(base), files = fileStores(base) }) {
    this.#texts = new Shelf(stores, (row) => JSON.stringify(row).length, MOST_BYTES);
    this.#files = new Shelf(files, weight, MOST_OF_FILES);
  }

  /** "IndexedDB", "localStorage" or "memory": what takes new rows now; or rows like this one. */
  get kind() {
    return this.kindOf({});
  }

  kindOf(row) {
    return this.#of(row).kind;
  }

  /** All rows of this person, oldest first. What cannot be read or is no row is passed over. */
  async load(user) {
    const rows = await Promise.all([this.#texts.load(user), this.#files.load(user)]);
    return rows.flat().sort((a, b) => a.at - b.at);
  }

  /** Whether a row is still kept; another tab may have removed it. `row`: one that has files if that has. */
  async has(id, row = {}) {
    return this.#of(row).has(id);
  }

  /** Keeps a row, or what it is now. Throws Full. */
  async put(row) {
    await this.#of(row).put(row);
  }

  /** `row`: one that has files if that has; without it, wherever it is. */
  async remove(id, row) {
    await Promise.all([this.#texts, this.#files].map((shelf) => (!row || shelf === this.#of(row)) && shelf.remove(id)));
  }

  /** Nothing of this person is left in the browser. */
  async clear(user) {
    await Promise.all([this.#texts.clear(user), this.#files.clear(user)]);
  }

  #of({ files }) {
    return files ? this.#files : this.#texts;
  }
}

/** A few stores, of which the best that works is used. */
class Shelf {
  #stores;
  #size;
  #mostBytes;
  #at = 0;
  #held = new Map();

  constructor(stores, size, mostBytes) {
    this.#stores = stores;
    this.#size = size;
    this.#mostBytes = mostBytes;
  }

  get kind() {
    return this.#stores[this.#at].kind;
  }

  async load(user) {
    const found = new Map();
    for (let at = this.#at; at < this.#stores.length; at += 1) {
      const rows = await this.#stores[at].all().catch(() => this.#fall(this.#stores[at]));
      for (const row of rows ?? []) if (isRow(row) && row.user === user && !found.has(row.client_id)) found.set(row.client_id, row);
    }
    for (const [id, row] of found) this.#held.set(id, row);
    return [...found.values()];
  }

  async has(id) {
    const store = this.#stores[this.#at];
    return (await store.get(id).catch(() => true)) !== undefined;
  }

  async put(row) {
    const others = [...this.#held.values()].filter((one) => one.user === row.user && one.client_id !== row.client_id);
    const bytes = others.reduce((sum, one) => sum + this.#size(one), this.#size(row));
    if (others.length >= MOST || bytes > this.#mostBytes) throw new Full("too many messages wait");
    this.#held.set(row.client_id, structuredClone(row));
    await this.#write(row);
  }

  async remove(id) {
    this.#held.delete(id);
    await Promise.all(this.#stores.map((store) => store.remove(id).catch(() => {})));
  }

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

function isRow(row) {
  if (typeof row !== "object" || row === null) return false;
  const texts = [row.client_id, row.chat_id, row.content, row.user];
  const { files = [] } = row;
  return texts.every((text) => typeof text === "string") && Array.isArray(files) && Number.isFinite(row.at) && STATES.has(row.state);
}
