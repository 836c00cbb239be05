/**
 * One of the tabs leads: who holds the lock has the connection, the others reach it by a channel.
 * A lock is passed on when its tab closes or crashes; from one that is frozen it is taken.
 *
 * On the channel: { to: leader | face | "all", from: face, message } and { by: leadership, … } for what
 * a leader says, so that one who has lost the lock and does not know it yet is not listened to.
 */

import { Hub } from "./hub.js";

const OPEN_MS = 2000;
const STEAL_MS = 150;

export class Leader {
  #env;
  #world;
  #name;
  #makeEngine;
  #onMessage;
  #onLeader;
  #onFail;
  #onNone;
  #me;
  #channel;
  #leader = null;
  #hub = null;
  #release = () => {};
  #queue = null;
  #closed = false;

  /**
   * `onMessage(message)`: for this face. `onLeader()`: another one leads; who uses this joins again.
   * `onNone()`: nobody does, for the moment.
   * `onFail()`: the browser gives no locks after all.
   */
  constructor({ env, world, name, makeEngine, onMessage, onLeader, onNone, onFail }) {
    this.#env = env;
    this.#world = world;
    this.#name = name;
    this.#makeEngine = makeEngine;
    this.#onMessage = onMessage;
    this.#onLeader = onLeader;
    this.#onFail = onFail;
    this.#onNone = onNone;
    this.#me = world.uuid();
    this.#channel = new env.BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => this.#closed || this.#heard(data);
    this.#channel.postMessage({ to: "leader", from: this.#me });
    this.#line();
    world.setTimeout(() => this.#leader || this.renew(), OPEN_MS);
  }

  get leads() {
    return this.#hub !== null;
  }

  send(message) {
    if (this.#hub) this.#later(() => this.#hub?.take(this.#me, message, (said) => this.#hand(said)));
    else if (this.#leader) this.#channel.postMessage({ to: this.#leader, from: this.#me, message });
  }

  /** Who leads does not answer: this tab leads from now on, unless another one was quicker. */
  renew() {
    const before = this.#leader;
    const steal = () => !this.#closed && this.#leader === before && this.#request({ steal: true });
    this.#world.setTimeout(steal, this.#world.random() * STEAL_MS);
  }

  close() {
    this.#closed = true;
    this.#queue?.abort();
    this.#stepDown();
    this.#release();
    this.#channel.close();
  }

  #line() {
    this.#queue = new AbortController();
    this.#request({ signal: this.#queue.signal });
  }

  #request(how) {
    let led = false;
    const hold = () => {
      led = true;
      return new Promise((release) => ((this.#release = release), this.#closed ? release() : this.#lead()));
    };
    const lost = () => {
      if (this.#closed) return;
      if (led) this.#stepDown(), this.#ask(), this.#line();
      else if (!how.signal?.aborted) this.#onFail();
    };
    this.#env.locks.request(this.#name, how, hold).catch(lost);
  }

  #lead() {
    this.#queue?.abort(); // one who has taken the lock does not stand in line for it
    const by = this.#world.uuid();
    const tellAll = (message) => (this.#channel.postMessage({ by, to: "all", message }), this.#hand(message));
    this.#leader = by;
    this.#hub = new Hub({ world: this.#world, makeEngine: this.#makeEngine, tellAll });
    this.#channel.postMessage({ by, leads: true });
    this.#onLeader();
  }

  #stepDown() {
    if (!this.#hub) return;
    this.#hub.close();
    this.#hub = null;
    if (this.#leader) this.#channel.postMessage({ by: this.#leader, leads: false });
    this.#leader = null;
  }

  #heard({ by, leads, to, from, message }) {
    if (by && leads) this.#follow(by);
    else if (by && leads === false) by === this.#leader && this.#ask();
    else if (by) by === this.#leader && (to === "all" || to === this.#me) && this.#onMessage(message);
    else if (this.#hub) this.#serve(to, from, message);
  }

  #follow(by) {
    if (this.#hub || by === this.#leader) return;
    this.#leader = by;
    this.#onLeader();
  }

  #ask() {
    this.#leader = null;
    this.#onNone();
    this.#channel.postMessage({ to: "leader", from: this.#me });
  }

  #serve(to, from, message) {
    const by = this.#leader;
    if (to === "leader") this.#channel.postMessage({ by, leads: true });
    if (to === by) this.#hub.take(from, message, (said) => this.#channel.postMessage({ by, to: from, message: said }));
  }

  /** To the own face; never within the call that led to it, as with all others. */
  #hand(message) {
    this.#later(() => this.#closed || this.#onMessage(message));
  }

  #later(work) {
    Promise.resolve().then(work);
  }
}
