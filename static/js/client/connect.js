/**
 * The client of quartchat for browsers. One object for a page:
 *
 *   const client = connect({ cursor });
 *   client.on("new_message", (event) => …);
 *   await client.send("mark_read", { chat_id, event_id });
 *
 * Every durable event is handed to the handlers once, in order, whatever happens to the connection
 * in between; `client.cursor` moves after they are done with it.
 */

import { Engine } from "./engine.js";
import { Refused, Unauthorised, Unsent } from "./errors.js";
import { watchLife } from "./life.js";
import { joinTabs } from "./tabs.js";
import { Waiting } from "./waiting.js";
import { browserWorld, uuid } from "./world.js";

export { Refused, Unauthorised, Unsent } from "./errors.js";
export { Full } from "./vault.js";

const MEMORY = "quartchat-memory";
const KINDS = { Refused, Unauthorised, Unsent };

/** See `Options` in quartchat.d.ts. */
export function connect(options = {}) {
  return new Client(options);
}

class Client {
  #options;
  #handlers = new Map();
  #queue = [];
  #working = false;
  #asked = new Map();
  #n = 0;
  #tabs;
  #unwatch;
  #cursor;
  #newest; // up to where events are here, if not yet handled
  #status = { state: "connecting", transport: null, since: null, nextTryAt: null, missed: 0, reason: null };
  /** What waits to be sent; null where no `user` was given, whose it would be. */
  outbox = null;

  constructor({ world, mode, token, ...options }) {
    this.#options = { ...options, token };
    this.#cursor = this.#newest = options.cursor ?? null;
    const here = world ?? browserWorld(options.url);
    const shared = { ...pick(options), url: here.base, token };
    const makeEngine = (out, join) => new Engine({ world: here, options: { ...shared, token: join?.token, asks: typeof token === "function" }, memory: join?.memory, out });
    if (options.user) this.outbox = new Waiting({ send: (message) => this.#tabs.port.send(message), world: here, user: options.user });
    this.#tabs = joinTabs({ options: shared, world: here, mode, makeEngine, rejoin: () => this.#join() });
    this.#tabs.port.onMessage((message) => this.#took(message));
    this.#unwatch = world ? () => {} : watchLife((what) => this.#tabs.port.send({ is: "life", what }));
  }

  /** The id of the last durable event that the handlers are done with; null before the first answer where none was given. */
  get cursor() {
    return this.#cursor;
  }

  /** `{ state, transport, since, nextTryAt, missed, reason }`, see quartchat.d.ts. */
  get status() {
    return this.#status;
  }

  /** How tabs share the connection: "worker", "locks" or "alone". */
  get mode() {
    return this.#tabs.mode;
  }

  /**
   * `handler(event)` for each event of this type, "*" for all; "status", "reset" and "over" tell of the
   * connection. One that returns a promise is waited for before the next event. Returns what takes it back.
   */
  on(type, handler) {
    const handlers = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  /** Sends a command; resolves with the `data` of its answer. Rejects with Refused, Unsent or Unauthorised. */
  send(type, data = {}) {
    const n = (this.#n += 1);
    // It may be sent more than once on its way; the server knows it by this.
    const own = type === "send_message" && !data.client_id ? { ...data, client_id: uuid() } : data;
    const message = { is: "command", n, type, data: own };
    return new Promise((resolve, reject) => {
      this.#asked.set(n, { message, resolve, reject });
      this.#tabs.port.send(message);
    });
  }

  /** Does not wait any longer for the next try; `anew`: nor trusts what seems to stand. */
  wake({ anew = false } = {}) {
    this.#tabs.port.send({ is: "wake", anew });
  }

  close() {
    this.#unwatch();
    this.#tabs.close();
    for (const { reject } of this.#asked.values()) reject(new Unsent("closed"));
    this.#asked.clear();
  }

  #join() {
    this.outbox?.joined();
    // Whoever had the connection may not have sent these; commands may come twice.
    queueMicrotask(() => this.#asked.forEach(({ message }) => this.#tabs.port.send(message)));
    const { token } = this.#options;
    return { is: "join", cursor: this.#newest, memory: recall(), ...(typeof token === "string" && { token }) };
  }

  #took(message) {
    const acts = {
      joined: () => (this.#cursor ??= this.#newest ??= message.cursor),
      events: () => this.#take(message),
      signal: () => this.#enqueue([message.event]),
      status: () => this.#shown(message.status),
      answer: () => this.#answered(message),
      outbox: () => this.outbox?.took(message),
      remember: () => remember(message.memory),
      renew: () => this.#renew(),
      reset: () => this.#reset(message),
      over: () => this.#emit("over", { reason: message.reason ?? "unauthorised" }),
    };
    acts[message.is]?.();
  }

  #take({ after, events }) {
    const newest = this.#newest;
    if (newest !== null && after !== null && after > newest) return this.#tabs.port.send({ is: "gap", cursor: newest });
    const fresh = events.filter(({ id }) => newest === null || id > newest);
    this.#newest = fresh.at(-1)?.id ?? newest;
    return this.#enqueue(fresh);
  }

  #enqueue(events) {
    this.#queue.push(...events);
    if (!this.#working) this.#work();
  }

  async #work() {
    this.#working = true;
    while (this.#queue.length) {
      const event = this.#queue[0];
      const waits = [...this.#emit(event.type, event), ...this.#emit("*", event)].filter((made) => typeof made?.then === "function");
      if (waits.length) await Promise.all(waits.map((one) => one.catch(console.error)));
      if (this.#queue[0] !== event) continue; // a reset came in between
      this.#queue.shift();
      if (event.id) this.#cursor = event.id;
    }
    this.#working = false;
  }

  /** One handler that fails must not stop the others, nor the events behind. */
  #emit(type, event) {
    return [...(this.#handlers.get(type) ?? [])].map((handler) => {
      try {
        return handler(event);
      } catch (error) {
        return console.error(error);
      }
    });
  }

  #shown(status) {
    this.#status = status;
    this.#emit("status", status);
  }

  #answered({ n, ok, value, error }) {
    const asked = this.#asked.get(n);
    this.#asked.delete(n);
    if (ok) asked?.resolve(value);
    else asked?.reject(KINDS[error.name] === Refused ? new Refused(error) : new (KINDS[error.name] ?? Unsent)(error.message));
  }

  async #renew() {
    const { token } = this.#options;
    const fresh = await (typeof token === "function" ? token() : token);
    this.#tabs.port.send({ is: "token", token: fresh });
  }

  #reset({ reason, head }) {
    this.#queue.length = 0;
    this.#cursor = this.#newest = head;
    this.#emit("reset", { type: "reset", data: { reason, head } });
    this.#tabs.port.send(this.#join());
  }
}

/** What an engine must know, and may be told in a message. */
function pick({ html, chats, transports, user, heartbeat }) {
  return { html: Boolean(html), chats: chats ?? null, transports: transports ?? null, user: user ?? null, heartbeat };
}

function recall() {
  try {
    return JSON.parse(localStorage.getItem(MEMORY));
  } catch {
    return null; // storage can be forbidden, or hold anything
  }
}

function remember(memory) {
  try {
    localStorage.setItem(MEMORY, JSON.stringify(memory));
  } catch {
    // Then it is learnt again.
  }
}
