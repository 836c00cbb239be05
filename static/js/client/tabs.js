/**
 * One connection for all tabs of a browser, by the best way that there is: a SharedWorker, else a tab that
 * leads, else each tab for itself. Faces ask for signs of life of whoever has the connection, and join
 * another one with their own cursor: what came in between is in the log.
 */

import { Hub } from "./hub.js";
import { Leader } from "./leader.js";
import { Port } from "./port.js";
import { openShared } from "./shared.js";
import { browserEnv } from "./env.js";
import { Watch } from "./watch.js";

const NO_WORKER = "quartchat-no-worker";
const NO_WORKER_MS = 600000;

/**
 * `mode`: "auto", or no better than "worker", "locks" or "alone". `makeEngine(out, join)`: an engine, not yet started.
 * `rejoin()`: the face's {is: "join"}; it is sent by this at the beginning and after each change of who has
 * the connection, and commands without an answer are lost by then. The answer: `{ port, mode, onMode, close }`.
 */
export function joinTabs(options) {
  return new Tabs(options);
}

class Tabs {
  #options;
  #env;
  #modes;
  #name;
  #link = null;
  #watch;
  #onMode = () => {};
  #generation = 0;
  #away = false;
  #closed = false;
  #round = 0;
  port = new Port();
  mode = null;

  constructor({ mode = "auto", env = browserEnv(), ...options }) {
    this.#options = options;
    this.#env = env;
    this.#modes = usable(mode, env, options);
    this.#name = nameOf(env, options.options);
    this.#generation = this.#kept();
    const ping = () => this.port.send({ is: "ping", n: 0 });
    this.#watch = new Watch({ world: options.world, env, ping, onSilence: () => this.#silent() });
    env.onNote(this.#name, () => this.mode === "worker" && this.#moved());
    env.onLife({ leave: () => this.#leave(), enter: () => this.#enter() });
    this.#open();
  }

  /** `watcher(mode)` when it changes. */
  onMode(watcher) {
    this.#onMode = watcher;
  }

  close() {
    this.#leave();
    this.#closed = true;
    this.#env.end();
    this.port.close();
  }

  /** The page goes; it may come back as it was. */
  #leave() {
    if (this.#away) return;
    this.#away = true;
    this.port.send({ is: "leave" });
    this.#drop();
  }

  #enter() {
    if (!this.#away || this.#closed) return;
    this.#away = false;
    this.#open();
  }

  #drop() {
    this.#round += 1;
    this.port.detach();
    this.#watch.stop();
    this.#link?.close();
    this.#link = null;
  }

  #open() {
    const mode = this.#modes[0];
    if (mode === "worker") this.#openWorker();
    else if (mode === "locks") this.#openLeader();
    else this.#openAlone();
  }

  /** No way any more: the next one. */
  #fail() {
    this.#drop();
    if (this.#modes[0] === "worker") this.#env.note(NO_WORKER, this.#options.world.now() + NO_WORKER_MS);
    this.#modes.shift();
    this.#open();
  }

  #isNow(round) {
    return round === this.#round && !this.#away;
  }

  async #openWorker() {
    const round = this.#round;
    const { world, options } = this.#options;
    const onMessage = (message) => this.#isNow(round) && this.#heard(message);
    try {
      const link = await openShared({ env: this.#env, world, name: this.#name, options, generation: this.#generation, onMessage });
      if (!this.#isNow(round)) return link.close();
      this.#link = link;
      this.#joined("worker");
    } catch {
      if (this.#isNow(round)) this.#fail();
    }
    return undefined;
  }

  #openLeader() {
    const { world, makeEngine } = this.#options;
    const round = this.#round;
    const onLeader = () => this.#isNow(round) && this.#joined("locks");
    const onFail = () => this.#isNow(round) && this.#fail();
    const onNone = () => this.#isNow(round) && this.port.detach();
    const onMessage = (message) => this.#isNow(round) && this.#heard(message);
    this.#link = new Leader({ env: this.#env, world, name: this.#name, makeEngine, onMessage, onLeader, onNone, onFail });
  }

  #openAlone() {
    const { world, makeEngine } = this.#options;
    const round = this.#round;
    const hub = new Hub({ world, makeEngine });
    const reply = (message) => Promise.resolve().then(() => this.#isNow(round) && this.#heard(message));
    const send = (message) => Promise.resolve().then(() => hub.take("face", message, reply));
    this.#link = { send, close: () => hub.close() };
    this.#joined("alone");
  }

  #joined(mode) {
    this.port.detach();
    this.port.attach(this.#link, this.#join());
    if (mode === "alone" || this.#link.leads) this.#watch.stop();
    else this.#watch.start();
    if (mode === this.mode) return;
    this.mode = mode;
    this.#onMode(mode);
  }

  #join() {
    return { ...this.#options.rejoin(), visible: this.#env.visible() };
  }

  #heard(message) {
    this.#watch.heard();
    if (message.is === "there") this.port.send({ is: "here" });
    else if (message.is === "rejoin") this.port.send(this.#join());
    else if (message.is !== "pong") this.port.deliver(message);
  }

  /** Whoever has the connection is frozen or gone. */
  #silent() {
    if (this.mode === "locks") return this.#link.renew();
    const kept = this.#kept();
    // All tabs go to the same new worker.
    this.#env.note(this.#name, kept > this.#generation ? kept : this.#generation + 1);
    return this.#moved();
  }

  /** To the worker of the newest generation. */
  #moved() {
    const kept = Math.max(this.#kept(), this.#generation + (this.#env.recall(this.#name) === null));
    if (this.#away || kept === this.#generation) return;
    this.port.send({ is: "leave" });
    this.#drop();
    this.#generation = kept;
    this.#open();
  }

  #kept() {
    return Number(this.#env.recall(this.#name)) || 0;
  }
}

/** The ways that are there, best first. Tokens are a page's own affair: each may have another. */
function usable(mode, env, { world, options: { token, user } }) {
  const all = ["worker", "locks", "alone"];
  const failed = Number(env.recall(NO_WORKER)) > world.now();
  const may = {
    worker: Boolean(env.SharedWorker) && !failed,
    locks: Boolean(env.locks && env.BroadcastChannel),
    alone: true,
  };
  if (token || !user) return ["alone"];
  return all.slice(Math.max(0, all.indexOf(mode))).filter((one) => may[one]);
}

/** Tabs share what has the same name: of one release, server, person and language, and asking for the same. */
function nameOf({ language }, { url, user, html, chats, transports, heartbeat }) {
  return `quartchat ${JSON.stringify([new URL("./worker.js", import.meta.url).href, url, user, html, chats, transports, heartbeat, language])}`;
}
