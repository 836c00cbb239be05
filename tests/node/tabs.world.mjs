// A browser in small: its tabs share locks, channels, workers and storage, and can be frozen and closed.

import { joinTabs } from "../../static/js/client/tabs.js";
import { Hub } from "../../static/js/client/hub.js";

/** An engine that keeps to the protocol: everything that `browser.log` holds, in order. */
export class FakeEngine {
  stopped = false;

  constructor(browser, out) {
    this.browser = browser;
    this.out = out;
    browser.engines.push(this);
  }

  start(cursor) {
    this.cursor = cursor;
    this.more();
  }

  more() {
    const events = this.browser.log.filter(({ id }) => id > this.cursor);
    if (!events.length || this.stopped || this.frozen) return;
    this.out({ is: "events", after: this.cursor, events });
    this.cursor = events.at(-1).id;
  }

  take(message, reply) {
    this.browser.taken.push(message);
    if (message.is === "ping") reply({ is: "pong", n: message.n });
    if (message.is === "command") reply({ is: "answer", n: message.n, ok: true, value: message.data });
    if (message.is === "join" || message.is === "gap") {
      const events = this.browser.log.filter(({ id }) => id > message.cursor && id <= this.cursor);
      if (events.length) reply({ is: "events", after: message.cursor, events });
    }
  }

  stop() {
    this.stopped = true;
  }
}

export class Browser {
  log = [];
  engines = [];
  taken = [];
  tabs = [];
  storage = new Map();
  locks = new Locks();
  channels = new Map();
  workers = new Map();
  has = { SharedWorker: true, locks: true, BroadcastChannel: true };
  deadWorkers = false;

  constructor(world) {
    this.world = world;
  }

  /** Engines that have a connection. */
  get live() {
    return this.engines.filter((engine) => !engine.stopped);
  }

  say(id) {
    this.log.push({ id, type: "new_message" });
    for (const engine of this.live) engine.more();
  }

  open(more = {}) {
    const tab = new Tab(this, more);
    this.tabs.push(tab);
    return tab;
  }
}

class Tab {
  frozen = false;
  isVisible = true;
  cursor = 0;
  seen = [];
  joins = 0;
  #kept = [];
  #life = {};
  #onVisible = [];

  constructor(browser, { mode, options = {}, cursor = 0 }) {
    this.browser = browser;
    this.cursor = cursor;
    const { world } = browser;
    const mine = {
      ...world,
      now: world.now,
      random: () => 0,
      uuid: world.uuid,
      setTimeout: (work, ms) => world.setTimeout(() => this.run(work), ms),
      clearTimeout: world.clearTimeout,
    };
    const makeEngine = (out) => (this.engine = new FakeEngine(browser, out));
    const rejoin = () => ((this.joins += 1), { is: "join", cursor: this.cursor, memory: null });
    this.shared = joinTabs({ options: { url: world.base, user: "ada", token: null, ...options }, world: mine, mode, makeEngine, rejoin, env: this.#env() });
    this.shared.port.onMessage((message) => this.#took(message));
  }

  /** At once, or when it is no more frozen. */
  run(work) {
    if (this.closed) return;
    if (this.frozen) this.#kept.push(work);
    else work();
  }

  freeze() {
    this.frozen = true;
    if (this.engine) this.engine.frozen = true;
  }

  thaw() {
    this.frozen = false;
    if (this.engine) this.engine.frozen = false;
    for (const work of this.#kept.splice(0)) this.run(work);
  }

  hide() {
    this.isVisible = false;
  }

  show() {
    this.isVisible = true;
    for (const work of this.#onVisible) this.run(work);
  }

  leave() {
    this.#life.leave();
  }

  enter() {
    this.#life.enter();
  }

  /** No farewell: its process is gone. */
  crash() {
    this.closed = true;
    if (this.engine) this.engine.stopped = true;
    this.browser.locks.forget(this);
  }

  #took(message) {
    if (message.is !== "events") return this.seen.push(message);
    const { after, events } = message;
    if (after > this.cursor) return this.shared.port.send({ is: "gap", cursor: this.cursor });
    for (const event of events) {
      if (event.id <= this.cursor) continue;
      this.seen.push(event.id);
      this.cursor = event.id;
    }
    return undefined;
  }

  #env() {
    const { browser } = this;
    const { has } = browser;
    return {
      SharedWorker: has.SharedWorker && class extends Worker {
        constructor(url, { name }) {
          super(browser, name);
        }
      },
      BroadcastChannel: has.BroadcastChannel && channelOf(browser, this),
      locks: has.locks && { request: (name, how, work) => browser.locks.request(this, name, how, work) },
      language: "en",
      visible: () => this.isVisible,
      end: () => {},
      onVisible: (work) => this.#onVisible.push(work),
      onLife: (life) => (this.#life = life),
      onNote: () => {},
      recall: (name) => browser.storage.get(name) ?? null,
      note: (name, value) => browser.storage.set(name, String(value)),
    };
  }
}

function channelOf(browser, tab) {
  return class {
    constructor(name) {
      this.name = name;
      browser.channels.set(name, (browser.channels.get(name) ?? new Set()).add(this));
    }

    postMessage(data) {
      const copy = structuredClone(data);
      for (const other of browser.channels.get(this.name)) {
        if (other !== this) other.hear(copy);
      }
    }

    hear(data) {
      queueMicrotask(() => tab.run(() => this.onmessage?.({ data })));
    }

    close() {
      browser.channels.get(this.name).delete(this);
    }
  };
}

/** What `new SharedWorker` gives: the port of one that all of this name share. */
class Worker {
  constructor(browser, name) {
    if (browser.deadWorkers === "throw") throw new Error("SecurityError");
    const inside = browser.workers.get(name) ?? { hub: null, dead: Boolean(browser.deadWorkers), ports: 0 };
    browser.workers.set(name, inside);
    if (browser.deadWorkers === "error") queueMicrotask(() => this.onerror?.({}));
    const id = {};
    inside.ports += 1;
    this.port = {
      postMessage: (message) => {
        const data = structuredClone(message);
        queueMicrotask(() => inside.dead || heard(data));
      },
      close: () => (this.port.onmessage = null),
    };
    const reply = (data) => queueMicrotask(() => this.port.onmessage?.({ data: structuredClone(data) }));
    const heard = (data) => {
      if (data.is !== "open") return inside.hub?.take(id, data, reply);
      inside.hub ??= new Hub({ world: browser.world, makeEngine: (out) => (inside.engine = new FakeEngine(browser, out)) });
      return reply({ is: "opened" });
    };
  }
}

/** Web Locks: exclusive ones, with `steal` and `signal`. */
class Locks {
  #held = new Map();
  #lines = new Map();

  request(owner, name, { steal, signal }, work) {
    return new Promise((resolve, reject) => {
      const one = { owner, work, resolve, reject };
      const line = this.#lines.get(name) ?? [];
      this.#lines.set(name, line);
      signal?.addEventListener("abort", () => {
        const at = line.indexOf(one);
        if (at < 0) return;
        line.splice(at, 1);
        reject(signal.reason);
      });
      if (steal) {
        const before = this.#held.get(name);
        this.#held.delete(name);
        if (before) before.owner.run(() => before.reject(new DOMException("stolen", "AbortError")));
        line.unshift(one);
      } else line.push(one);
      queueMicrotask(() => this.#next(name));
    });
  }

  forget(owner) {
    for (const line of this.#lines.values()) line.splice(0, Infinity, ...line.filter((one) => one.owner !== owner));
    for (const [name, one] of this.#held) if (one.owner === owner) this.#release(name, one);
  }

  #next(name) {
    if (this.#held.has(name)) return;
    const one = this.#lines.get(name).shift();
    if (!one) return;
    this.#held.set(name, one);
    const free = () => (one.resolve(), this.#release(name, one));
    one.owner.run(() => Promise.resolve(one.work()).then(free));
  }

  #release(name, one) {
    if (this.#held.get(name) !== one) return;
    this.#held.delete(name);
    queueMicrotask(() => this.#next(name));
  }
}
