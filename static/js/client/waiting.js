/** The outbox as a page sees it: whatever is written is kept here before it goes to the engine. */

import { Vault } from "./vault.js";

const KEPT_MS = 1000;

export class Waiting {
  #world;
  #vault;
  #user;
  #send;
  #mine = new Map();
  #known = [];
  #isAnew = true;
  #at = 0;
  #watchers = new Set();

  /** `send(message)`: to the engine. */
  constructor({ world, user, send, vault = new Vault({ base: world.base }) }) {
    this.#world = world;
    this.#vault = vault;
    this.#user = user;
    this.#send = send;
  }

  /** All that waits, or what waits for this chat, oldest first; see `Outbox`. */
  entries(chatId) {
    const known = new Set(this.#known.map((entry) => entry.client_id));
    const mine = [...this.#mine.values()].filter((entry) => !known.has(entry.client_id));
    return [...this.#known, ...mine].filter((entry) => chatId === undefined || entry.chat_id === chatId);
  }

  /** Whether what waits is still there after this page is closed. */
  get kept() {
    return this.keeps({});
  }

  /** Whether this entry is: files may have no place where text has one. */
  keeps(entry) {
    return this.#vault.kindOf(entry) !== "memory";
  }

  /** `watcher()` whenever the entries have changed; returns what takes it back. */
  onChange(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Sends `{ chat_id, content, reply_to?, files? }` as soon as that can be; its `client_id`. Rejects with Full. */
  async add({ chat_id, content = "", reply_to, files = [], client_id = this.#world.uuid() }) {
    // Two of the same millisecond keep their order.
    this.#at = Math.max(this.#world.now(), this.#at + 1);
    const entry = { client_id, chat_id, content, at: this.#at, user: this.#user, state: "waiting", tries: 0, ...(reply_to && { reply_to }), ...(files.length && { files: files.map((file) => this.#ofFile(file)) }) };
    this.#mine.set(client_id, entry);
    this.#changed();
    await this.#keep(entry);
    if (this.#mine.has(client_id)) this.#send({ is: "outbox", what: "add", entry });
    return client_id;
  }

  retry(id) {
    this.#send({ is: "outbox", what: "retry", client_id: id });
  }

  /** `files`: the ids of those that stay; by default all. */
  edit(id, content, files) {
    this.#send({ is: "outbox", what: "edit", client_id: id, content, files });
  }

  drop(id) {
    this.#send({ is: "outbox", what: "drop", client_id: id });
    this.#vault.remove(id);
    this.acked(id);
  }

  /** Nothing of this person's is left in the browser: before they log out. */
  async clear() {
    this.#send({ is: "outbox", what: "clear" });
    this.#mine.clear();
    this.#known = [];
    this.#changed();
    await this.#vault.clear(this.#user);
  }

  /** The page has this message now. */
  acked(id) {
    this.#mine.delete(id);
    this.#known = this.#known.filter((entry) => entry.client_id !== id);
    this.#changed();
  }

  /** Another engine: it may not know yet what this page has written. */
  joined() {
    this.#isAnew = true;
  }

  /** `{is: "outbox", entries}` of the engine. */
  took({ entries }) {
    const there = new Set(entries.map((entry) => entry.client_id));
    // What the engine before knew says nothing: this one may still be reading what is kept.
    for (const { client_id: id } of this.#isAnew ? [] : this.#known) if (!there.has(id)) this.#vault.remove(id);
    for (const id of there) this.#mine.delete(id);
    this.#known = entries;
    this.#changed();
    if (this.#isAnew) this.#tell(there);
    this.#isAnew = false;
  }

  /** What the engine does not know: a page can keep where a worker cannot. */
  async #tell(there) {
    const kept = await this.#vault.load(this.#user);
    const all = new Map([...kept, ...this.#mine.values()].map((entry) => [entry.client_id, entry]));
    for (const [id, entry] of all) if (!there.has(id)) this.#send({ is: "outbox", what: "add", entry });
  }

  async #keep(entry) {
    const late = new Promise((resolve) => this.#world.setTimeout(resolve, KEPT_MS));
    try {
      await Promise.race([this.#vault.put(entry), late]);
    } catch (error) {
      this.acked(entry.client_id);
      throw error;
    }
  }

  /** By its `id` an upload is found again; what was one already stays what it was. */
  #ofFile(file) {
    if (!(file instanceof Blob)) return file;
    const { name = "file", size, type } = file;
    return { id: this.#world.uuid(), name, size, type, blob: file, sent: 0 };
  }

  #changed() {
    for (const watcher of this.#watchers) watcher();
  }
}
