/**
 * What was written and has not arrived: kept before it is sent, sent in order within each chat, and
 * again until the server has it or says that it never will take it. `client_id` makes it arrive once.
 * Files go first, one after the other, whatever chat they are for; a message waits for its own, and is
 * overtaken meanwhile by those that have none.
 */

import { backoff } from "./backoff.js";
import { weight } from "./stores.js";

const OLD_MS = 30 * 24 * 3600 * 1000;
const SENT_MS = 10000; // by then the event of what was sent has come, or does not come here at all
const TURN_MS = 5000;
const MOST_DONE = 1000;
const TELL_MS = 250; // how far files are
const LIGHT = 20_000_000; // bytes that may be written again to note something small
const FILES = ""; // the queue of all files, among those of the chats

export class Outbox {
  #world;
  #vault;
  #submit;
  #uploads;
  #user;
  #onChange;
  #locks;
  #entries = new Map();
  #chats = new Map(); // queues: { name, sending, stop, wait, unsent, rounds }
  #keeping = new Set();
  #done = new Set();
  #live = false;
  #isTelling = false;
  #telling = null;

  /**
   * `submit(message)`: resolves with the ack `{ message_id }`; rejects with Refused, or with anything
   * else where nobody answered. `uploads`: as in uploads.js. `onChange(entries)`: all that waits or failed, oldest first.
   * An entry is `{ client_id, chat_id, content, reply_to?, files?, at, user, state, tries, reason?, code?, message_id? }`;
   * `at` is in ms; `state`: "waiting", "uploading", "sending", "sent" (its event comes soon) or "failed" (`reason`, in words).
   * One of its files: `{ id, name, size, type, blob, sent, upload_id?, attachment_id?, reason?, code? }`; `sent`: bytes.
   */
  constructor({ world, vault, submit, uploads, user, onChange, locks = globalThis.navigator?.locks }) {
    this.#world = world;
    this.#vault = vault;
    this.#submit = submit;
    this.#uploads = uploads;
    this.#user = user;
    this.#onChange = onChange;
    this.#locks = locks;
  }

  get entries() {
    return [...this.#entries.values()].sort((a, b) => a.at - b.at).map(copy);
  }

  /** Takes up what an earlier page left. */
  async open() {
    for (const row of await this.#vault.load(this.#user)) this.#take(row);
    this.#changed();
    for (const chatId of this.#chats.keys()) this.#pump(chatId);
  }

  /** A message `{ client_id, chat_id, content, reply_to?, files?, at }`, also one that is there already. */
  async add(entry) {
    const { client_id: id } = entry;
    const isNew = !this.#entries.has(id) && !this.#done.has(id);
    if (isNew) this.#keeping.add(id) && this.#take(entry);
    this.#changed();
    if (!isNew) return;
    const made = this.#entries.get(id);
    // The page has kept it; large files are not written twice.
    if (!made.files || !(await this.#vault.has(id, made))) await this.#keep(made);
    this.#keeping.delete(id);
    this.#pumpFor(made);
  }

  /** Sends what failed once more, as if it were written now. */
  async retry(id) {
    await this.#again(this.#entries.get(id));
  }

  /** Another text for what failed or was not tried yet, and of its files those with these ids; it gets a new `client_id`. */
  async edit(id, content, ids) {
    const entry = this.#entries.get(id);
    if (!entry || (entry.state !== "failed" && (!/^(waiting|uploading)$/.test(entry.state) || entry.tries))) return;
    const { chat_id, reply_to, at } = entry;
    const when = entry.state === "failed" ? this.#world.now() : at;
    const files = entry.files?.filter((file) => !ids || ids.includes(file.id));
    this.drop(id);
    for (const file of entry.files ?? []) if (!files.includes(file)) this.#uploads.drop(file);
    if (content || files?.length) await this.add({ client_id: this.#world.uuid(), chat_id, content, reply_to, files, at: when });
  }

  drop(id) {
    this.#forget(id);
    this.#changed();
  }

  /** The writer does not want it any more, nor what the server has of its files. */
  discard(id) {
    const { files = [] } = this.#entries.get(id) ?? {};
    this.drop(id);
    for (const file of files) this.#uploads.drop(file);
  }

  /** Nothing of this person's is left here: they log out. */
  async clear() {
    for (const id of this.#entries.keys()) this.#forget(id);
    this.#changed();
    await this.#vault.clear(this.#user);
  }

  /** The event of this message has come, by whatever way. */
  acked(id) {
    this.#remember(id);
    if (this.#entries.has(id)) this.drop(id);
  }

  /** What a face asks for: `{ what, entry | client_id, content?, files? }`. */
  take({ what, entry, client_id: id, content, files }) {
    if (what === "add") this.add(entry);
    else if (what === "retry") this.retry(id);
    else if (what === "edit") this.edit(id, content, files);
    else if (what === "drop") this.discard(id);
    else if (what === "clear") this.clear();
  }

  /** The server can be reached. */
  flush() {
    this.#live = true;
    for (const [chatId, chat] of this.#chats) {
      if (chat.unsent) this.#stopWaiting(chat);
      this.#pump(chatId);
    }
  }

  /** It cannot be reached any more: nothing is tried until `flush`. */
  rest() {
    this.#live = false;
    for (const chat of this.#chats.values()) if (chat.unsent) this.#stopWaiting(chat);
  }

  /** Nothing goes on: whoever is next begins where this stops. */
  stop() {
    this.rest();
    this.#chats.get(FILES)?.stop?.abort();
  }

  #take({ client_id, chat_id, content, reply_to, files, at, state, reason, code }) {
    if (this.#entries.has(client_id) || this.#done.has(client_id)) return;
    const entry = { client_id, chat_id, content, at, user: this.#user, state: state === "failed" ? state : "waiting", tries: 0 };
    this.#entries.set(client_id, Object.assign(entry, reply_to && { reply_to }, files?.length && { files: files.map(fresh) }, reason && { reason }, code && { code }));
    for (const name of entry.files ? [chat_id, FILES] : [chat_id]) if (!this.#chats.has(name)) this.#chats.set(name, { name, sending: null, wait: null, unsent: false, rounds: 0 });
    if (entry.state === "waiting" && this.#isOld(entry)) Object.assign(entry, { state: "failed", code: "too_old" });
  }

  async #again(entry) {
    if (entry?.state !== "failed") return;
    const { reason, code, isAgain, ...rest } = entry;
    this.#entries.set(entry.client_id, { ...rest, ...(rest.files && { files: rest.files.map(fresh) }), state: "waiting", at: this.#world.now() });
    await this.#keep(this.#entries.get(entry.client_id));
    this.#changed();
    this.#pumpFor(entry);
  }

  #pumpFor(entry) {
    this.#pump(entry.chat_id);
    if (entry.files) this.#pump(FILES);
  }

  /** The next one of a chat, or the next file, unless one is on its way. */
  #pump(name) {
    const queue = this.#chats.get(name);
    if (!this.#live || queue.sending || queue.wait) return;
    const isOfIt = name === FILES ? lacking : (one) => one.chat_id === name && !lacking(one);
    const next = this.entries.find((one) => one.state === "waiting" && isOfIt(one));
    const entry = next && this.#entries.get(next.client_id);
    if (!entry || this.#keeping.has(entry.client_id)) return;
    if (this.#isOld(entry)) this.#fail(entry, { code: "too_old" });
    else if (name === FILES) this.#bring(entry, queue);
    else this.#send(entry, queue);
  }

  #isOld({ at }) {
    return this.#world.now() - at > OLD_MS;
  }

  async #send(entry, chat) {
    chat.sending = entry.client_id;
    entry.state = "sending";
    this.#changed();
    const { chat_id, client_id, content, reply_to, files } = entry;
    const message = { chat_id, client_id, content, ...(reply_to && { reply_to }), ...(files && { attachments: files.map((file) => file.attachment_id) }) };
    const [answer, error] = await outcome(this.#inTurn(entry, () => this.#deliver(message, entry)));
    if (this.#entries.get(client_id) !== entry || chat.sending !== client_id) return undefined;
    chat.sending = null;
    if (error) return this.#refused(entry, chat, error);
    chat.rounds = 0;
    this.#sent(entry, answer);
    return this.#pump(entry.chat_id);
  }

  async #deliver(message, entry) {
    const answer = await this.#submit(message);
    await this.#vault.remove(message.client_id, entry);
    return answer;
  }

  /** The next file of this message. */
  async #bring(entry, queue) {
    const file = entry.files.find((one) => !one.attachment_id);
    const stop = new AbortController();
    Object.assign(queue, { sending: entry.client_id, stop });
    entry.state = "uploading";
    this.#changed();
    const onSent = (sent, upload_id) => {
      if (sent > file.sent) queue.rounds = 0;
      Object.assign(file, { sent, upload_id });
      this.#telling ??= this.#world.setTimeout(() => ((this.#telling = null), this.#changed()), TELL_MS);
    };
    const [made, error] = await outcome(this.#inTurn(entry, () => this.#uploads.bring(entry.chat_id, file, stop.signal, onSent), stop));
    if (queue.stop !== stop) return undefined;
    Object.assign(queue, { sending: null, stop: null });
    entry.state = "waiting";
    if (error) return this.#refused(entry, queue, error, file);
    if (!made) return this.drop(entry.client_id); // another tab has sent it
    Object.assign(file, { sent: file.size, attachment_id: made.attachment_id });
    queue.rounds = 0;
    this.#changed();
    if (weight(entry) < LIGHT) this.#keep(entry);
    return this.#pumpFor(entry);
  }

  /** Two tabs with a connection each do not send the same message at the same time, nor files. `stop`: of a file. */
  async #inTurn(entry, work, stop) {
    if (!this.#locks) return work();
    const { client_id: id } = entry;
    const abort = stop ?? new AbortController();
    const timer = stop ? null : this.#world.setTimeout(() => abort.abort(), TURN_MS);
    const turn = async () => {
      this.#world.clearTimeout(timer);
      return (await this.#vault.has(id, entry)) ? work() : null;
    };
    // Who holds it may be frozen; a second sending of the same message is harmless.
    return this.#locks.request(`quartchat-sending ${stop ? "files" : id}`, { signal: abort.signal }, turn).catch((error) => {
      if (abort.signal.aborted && !stop) return work();
      throw error;
    });
  }

  #sent(entry, answer) {
    if (!answer) return this.drop(entry.client_id); // another tab has sent it
    Object.assign(entry, { state: "sent", message_id: answer.message_id });
    delete entry.reason;
    this.#remember(entry.client_id);
    this.#world.setTimeout(() => this.#entries.get(entry.client_id) === entry && this.drop(entry.client_id), SENT_MS);
    return this.#changed();
  }

  /** `file`: the one that it is about. */
  #refused(entry, queue, error, file) {
    entry.state = "waiting";
    if (!file) entry.tries += 1;
    if (error.code === "message_not_found" && entry.reply_to) {
      delete entry.reply_to;
      return this.#pump(queue.name);
    }
    if (error.code === "attachment_not_found" && entry.files && !entry.isAgain) return this.#bringAgain(entry);
    const answered = error.status > 0 && error.status !== 401;
    if (file && error.code === "storage_full") return this.#fail(entry, error, file); // smaller ones may find room
    if (answered && !(error.retryable ?? (error.status === 429 || error.status >= 500))) return this.#fail(entry, error, file);
    entry.reason = answered ? error.message : undefined;
    this.#changed();
    return this.#waitFor(queue, error.retryMs ?? 0, !answered);
  }

  /** What was brought has waited for too long: the server has it no more. */
  #bringAgain(entry) {
    entry.isAgain = true;
    entry.files = entry.files.map(({ id, name, size, type, blob }) => ({ id: this.#world.uuid(), name, size, type, blob, sent: 0 }));
    this.#pumpFor(entry);
  }

  #fail(entry, { message, code }, file) {
    const why = { reason: message ?? "", code };
    Object.assign(entry, { state: "failed" }, why);
    if (file) Object.assign(file, why);
    this.#changed();
    this.#keep(entry);
    return this.#pumpFor(entry);
  }

  #waitFor(queue, leastMs, unsent) {
    queue.rounds += 1;
    queue.unsent = unsent;
    if (unsent && !this.#live) return;
    const again = () => (this.#stopWaiting(queue), this.#pump(queue.name));
    queue.wait = this.#world.setTimeout(again, Math.max(leastMs, backoff(this.#world, queue.rounds)));
  }

  #stopWaiting(chat) {
    this.#world.clearTimeout(chat.wait);
    chat.wait = null;
  }

  async #keep({ message_id, ...entry }) {
    try {
      await this.#vault.put({ ...entry, state: entry.state === "failed" ? "failed" : "waiting" });
    } catch (error) {
      const here = this.#entries.get(entry.client_id);
      if (here) Object.assign(here, { state: "failed", reason: error.message, code: error.code });
      this.#changed();
    }
  }

  #forget(id) {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#remember(id);
    this.#entries.delete(id);
    this.#vault.remove(id, entry);
    const [chat, files] = [entry.chat_id, FILES].map((name) => this.#chats.get(name));
    if (chat.sending === id) chat.sending = null;
    if (files?.sending === id) files.stop.abort(), Object.assign(files, { sending: null, stop: null });
    this.#pumpFor(entry);
  }

  #remember(id) {
    this.#done.add(id);
    if (this.#done.size > MOST_DONE) this.#done.delete(this.#done.values().next().value);
  }

  /** Told once for all that changes in one go. */
  #changed() {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => ((this.#isTelling = false), this.#onChange(this.entries)));
  }
}

/** Whether some of its files are not there yet. */
function lacking({ files }) {
  return Boolean(files?.some((file) => !file.attachment_id));
}

/** A file as it is before it is tried: nothing is wrong with it. */
function fresh({ reason, code, ...file }) {
  return { sent: 0, ...file };
}

function copy(entry) {
  return { ...entry, ...(entry.files && { files: entry.files.map((file) => ({ ...file })) }) };
}

/** `[value]` or `[null, error]`. */
function outcome(promise) {
  return promise.then((value) => [value], (error) => [null, error]);
}
