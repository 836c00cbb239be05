/** The places in a browser where rows can be kept, all of one shape. */

const PATIENCE_MS = 3000;
const FILES_MS = 20000;
const BYTES_PER_MS = 4000; // of a slow disk
const TABLE = "waiting";

/** Best first; each has `kind`, `all()`, `get(id)`, `put(row)` and `remove(id)`, which reject where the browser fails. */
export function browserStores(base) {
  return [new IndexedDbStore(`quartchat ${base}`), new LocalStore(`quartchat-waiting ${base} `), new MemoryStore()];
}

/** The same for rows with files: apart from the others, which would wait behind a large one. Text alone can hold none. */
export function fileStores(base) {
  return [new IndexedDbStore(`quartchat-files ${base}`, FILES_MS), new MemoryStore()];
}

/** How many bytes the files of a row have. */
export function weight({ files = [] }) {
  return files.reduce((sum, { size }) => sum + size, 0);
}

class IndexedDbStore {
  kind = "IndexedDB";
  #name;
  #patience;
  #opened = null;

  constructor(name, patience = PATIENCE_MS) {
    this.#name = name;
    this.#patience = patience;
  }

  async all() {
    return this.#in("readonly", async (table) => {
      const ids = await done(table.getAllKeys());
      // One by one: a row that the browser cannot read must not hide the others.
      return Promise.all(ids.map((id) => done(table.get(id)).catch(() => null)));
    });
  }

  get(id) {
    return this.#in("readonly", (table) => done(table.get(id)));
  }

  put(row) {
    return this.#in("readwrite", (table) => done(table.put(row)), "strict", weight(row) / BYTES_PER_MS);
  }

  remove(id) {
    return this.#in("readwrite", (table) => done(table.delete(id)));
  }

  /** What `work` answers, once all that it wrote is on the disk. */
  async #in(mode, work, durability = "relaxed", more = 0) {
    const deal = await this.#begin(mode, durability).catch(() => ((this.#opened = null), this.#begin(mode, durability)));
    const over = new Promise((resolve, reject) => {
      deal.oncomplete = resolve;
      deal.onabort = () => reject(deal.error ?? new Error("aborted"));
    });
    const [value] = await timely(Promise.all([work(deal.objectStore(TABLE)), over]), this.#patience + more);
    return value;
  }

  async #begin(mode, durability) {
    this.#opened ??= timely(open(this.#name, () => (this.#opened = null)));
    return (await this.#opened).transaction(TABLE, mode, { durability });
  }
}

/** `onGone()`: the database was closed under us. */
function open(name, onGone) {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(name, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(TABLE, { keyPath: "client_id" });
    asked.onerror = () => reject(asked.error);
    asked.onblocked = () => reject(new Error("blocked"));
    asked.onsuccess = () => {
      asked.result.onclose = onGone;
      asked.result.onversionchange = () => (asked.result.close(), onGone());
      resolve(asked.result);
    };
  });
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => (event.preventDefault(), event.stopPropagation(), reject(request.error));
  });
}

/** A database that never answers is as good as none. */
function timely(promise, ms = PATIENCE_MS) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("no answer")), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

class LocalStore {
  kind = "localStorage";
  #prefix;

  constructor(prefix) {
    this.#prefix = prefix;
  }

  async all() {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(this.#prefix));
    return names.map((name) => parsed(localStorage.getItem(name)));
  }

  async get(id) {
    return localStorage.getItem(this.#prefix + id) ?? undefined;
  }

  async put(row) {
    localStorage.setItem(this.#prefix + row.client_id, JSON.stringify(row));
  }

  async remove(id) {
    localStorage.removeItem(this.#prefix + id);
  }
}

class MemoryStore {
  kind = "memory";
  #rows = new Map();

  async all() {
    return [...this.#rows.values()];
  }

  async get(id) {
    return this.#rows.get(id);
  }

  async put(row) {
    this.#rows.set(row.client_id, row);
  }

  async remove(id) {
    this.#rows.delete(id);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
