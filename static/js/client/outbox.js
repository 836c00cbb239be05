/**
 * What was written and has not arrived: kept before it is sent, sent in order within each chat, and
 * again until the server has it or says that it never will take it. `client_id` makes it arrive once.
 */

import { backoff } from "./backoff.js";

const OLD_MS = 30 * 24 * 3600 * 1000;
const SENT_MS = 10000; // by then the event of what was sent has come, or does not come here at all
const TURN_MS = 5000;
const MOST_DONE = 1000;

export class Outbox {
  #world;
  #vault;
  #submit;
  #user;
  #onChange;
  #locks;
  #entries = new Map();
  #chats = new Map();
  #keeping = new Set();
  #done = new Set();
  #live = false;
  #isTelling = false;

  /**
   * `submit(message)`: resolves with the ack `{ message_id }`; rejects with Refused, or with anything
   * else where nobody answered. `onChange(entries)`: all that waits or failed, oldest first. An entry is
   * `{ client_id, chat_id, content, reply_to?, at, user, state, tries, reason?, code?, message_id? }`; `at` is in
   * ms; `state`: "waiting", "sending", "sent" (its event comes soon) or "failed" (`reason`, in words).
   */
  constructor({ world, vault, submit, user, onChange, locks = globalThis.navigator?.locks }) {
    this.#world = world;
    this.#vault = vault;
    this.#submit = submit;
    this.#user = user;
    this.#onChange = onChange;
    this.#locks = locks;
  }

  get entries() {
    return [...this.#entries.values()].sort((a, b) => a.at - b.at).map((entry) => ({ ...entry }));
  }

  /** Takes up what an earlier page left. */
  async open() {
    for (const row of await this.#vault.load(this.#user)) this.#take(row);
    this.#changed();
    for (const chatId of this.#chats.keys()) this.#pump(chatId);
  }

  /** A message `{ client_id, chat_id, content, reply_to?, at }`, also one that is there already. */
  async add(entry) {
    const { client_id: id, chat_id } = entry;
    const isNew = !this.#entries.has(id) && !this.#done.has(id);
    if (isNew) this.#keeping.add(id) && this.#take(entry);
    this.#changed();
    if (!isNew) return;
    await this.#keep(this.#entries.get(id));
    this.#keeping.delete(id);
    this.#pump(chat_id);
  }

  /** Sends what failed once more, as if it were written now. */
  async retry(id) {
    await this.#again(this.#entries.get(id));
  }

  /** Another text for what failed or was not tried yet; it gets a new `client_id`. */
  async edit(id, content) {
    const entry = this.#entries.get(id);
    if (!entry || (entry.state !== "failed" && (entry.state !== "waiting" || entry.tries))) return;
    const { chat_id, reply_to, at } = entry;
    const when = entry.state === "failed" ? this.#world.now() : at;
    this.drop(id);
    await this.add({ client_id: this.#world.uuid(), chat_id, content, reply_to, at: when });
  }

  drop(id) {
    this.#forget(id);
    this.#changed();
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

  /** What a face asks for: `{ what, entry | client_id, content? }`. */
  take({ what, entry, client_id: id, content }) {
    if (what === "add") this.add(entry);
    else if (what === "retry") this.retry(id);
    else if (what === "edit") this.edit(id, content);
    else if (what === "drop") this.drop(id);
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

  #take({ client_id, chat_id, content, reply_to, at, state, reason, code }) {
    if (this.#entries.has(client_id) || this.#done.has(client_id)) return;
    const entry = { client_id, chat_id, content, at, user: this.#user, state: state === "failed" ? state : "waiting", tries: 0 };
    this.#entries.set(client_id, Object.assign(entry, reply_to && { reply_to }, reason && { reason }, code && { code }));
    if (!this.#chats.has(chat_id)) this.#chats.set(chat_id, { sending: null, wait: null, unsent: false, rounds: 0 });
    if (entry.state === "waiting" && this.#isOld(entry)) Object.assign(entry, { state: "failed", code: "too_old" });
  }

  async #again(entry) {
    if (entry?.state !== "failed") return;
    const { reason, code, ...rest } = entry;
    this.#entries.set(entry.client_id, { ...rest, state: "waiting", at: this.#world.now() });
    await this.#keep(this.#entries.get(entry.client_id));
    this.#changed();
    this.#pump(entry.chat_id);
  }

  /** The next one of a chat, unless one is on its way. */
  #pump(chatId) {
    const chat = this.#chats.get(chatId);
    if (!this.#live || chat.sending || chat.wait) return;
    const next = this.entries.find((one) => one.chat_id === chatId && one.state === "waiting");
    const entry = next && this.#entries.get(next.client_id);
    if (entry && !this.#keeping.has(entry.client_id)) this.#send(entry, chat);
  }

  #isOld({ at }) {
    return this.#world.now() - at > OLD_MS;
  }

  async #send(entry, chat) {
    if (this.#isOld(entry)) return this.#fail(entry, { code: "too_old" });
    chat.sending = entry.client_id;
    entry.state = "sending";
    this.#changed();
    const { chat_id, client_id, content, reply_to } = entry;
    const message = { chat_id, client_id, content, ...(reply_to && { reply_to }) };
    const [answer, error] = await this.#inTurn(client_id, () => this.#deliver(message)).then((made) => [made], (reason) => [null, reason]);
    if (this.#entries.get(client_id) !== entry || chat.sending !== client_id) return undefined;
    chat.sending = null;
    if (error) return this.#refused(entry, chat, error);
    chat.rounds = 0;
    this.#sent(entry, answer);
    return this.#pump(entry.chat_id);
  }

  async #deliver(message) {
    const answer = await this.#submit(message);
    await this.#vault.remove(message.client_id);
    return answer;
  }

  /** Two tabs with a connection each do not send the same message at the same time. */
  async #inTurn(id, work) {
    if (!this.#locks) return work();
    const abort = new AbortController();
    const timer = this.#world.setTimeout(() => abort.abort(), TURN_MS);
    const turn = async () => {
      this.#world.clearTimeout(timer);
      return (await this.#vault.has(id)) ? work() : null;
    };
    // Who holds it may be frozen; a second sending of the same message is harmless.
    return this.#locks.request(`quartchat-sending ${id}`, { signal: abort.signal }, turn).catch((error) => {
      if (abort.signal.aborted) return work();
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

  #refused(entry, chat, error) {
    entry.state = "waiting";
    entry.tries += 1;
    if (error.code === "message_not_found" && entry.reply_to) {
      delete entry.reply_to;
      return this.#pump(entry.chat_id);
    }
    const answered = error.status > 0 && error.status !== 401;
    if (answered && !(error.retryable ?? (error.status === 429 || error.status >= 500))) return this.#fail(entry, error);
    entry.reason = answered ? error.message : undefined;
    this.#changed();
    return this.#waitFor(entry.chat_id, chat, error.retryMs ?? 0, !answered);
  }

  #fail(entry, { message, code }) {
    Object.assign(entry, { state: "failed", reason: message ?? "", code });
    this.#changed();
    this.#keep(entry);
    return this.#pump(entry.chat_id);
  }

  #waitFor(chatId, chat, leastMs, unsent) {
    chat.rounds += 1;
    chat.unsent = unsent;
    if (unsent && !this.#live) return;
    const again = () => (this.#stopWaiting(chat), this.#pump(chatId));
    chat.wait = this.#world.setTimeout(again, Math.max(leastMs, backoff(this.#world, chat.rounds)));
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
    this.#vault.remove(id);
    const chat = this.#chats.get(entry.chat_id);
    if (chat.sending === id) chat.sending = null;
    this.#pump(entry.chat_id);
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
