/**
 * Connections that a browser keeps though nothing uses them. Proxies that allow a client so many count these, too, and
 * refuse everything until they are gone, which takes minutes. A page cannot close them; whoever refuses can: an address
 * that is longer than what squid, nginx and Apache read (8 KB) is answered with an error and the connection's end. It
 * helps where a proxy reads the requests: on plain http, or where it ends TLS.
 */

import { POOL } from "./pool.js";
import { address } from "./transports/http.js";

const LONGER = 8400;
const MOST_MS = 3000;
const AGAIN_MS = 8000;
const MOST_TIMES = 3; // in vain
const WELL_MS = 60000;
const TOO_MANY_REQUESTS = 429; // what is counted are not connections

export class Crowd {
  #world;
  #timers;
  #notBefore = -Infinity;
  #askedAt = -Infinity;
  #times = 0;
  #stop = null;
  /** Whether connections are to be given back before anything else is asked. */
  isDue = false;

  constructor(world, timers) {
    this.#world = world;
    this.#timers = timers;
  }

  get isReleasing() {
    return this.#stop !== null;
  }

  /** Everything was refused. */
  refused({ status }) {
    this.isDue = status !== TOO_MANY_REQUESTS && this.#times < MOST_TIMES && this.#world.now() >= this.#notBefore;
  }

  /** Something passes. */
  passed() {
    this.isDue = false;
    if (this.#world.now() - this.#askedAt > WELL_MS) this.#times = 0;
  }

  stop() {
    this.#stop?.abort();
  }

  /** Has those end that stand; resolves when they are told. `hasToken`: whether requests carry a token, and no cookies. */
  async release({ hasToken }) {
    this.isDue = false;
    this.#askedAt = this.#world.now();
    this.#notBefore = this.#askedAt + AGAIN_MS * 3 ** this.#times;
    this.#times += 1;
    const stop = (this.#stop = new AbortController());
    const cancel = this.#timers.after(MOST_MS, () => stop.abort());
    await Promise.allSettled(Array.from({ length: POOL }, () => this.#ask(hasToken, stop.signal)));
    cancel();
    this.#stop = null;
  }

  async #ask(hasToken, signal) {
    const url = address(this.#world, "health/live", { close: 1, long: "0".repeat(LONGER) });
    const credentials = hasToken ? "omit" : "same-origin";
    return (await this.#world.fetch(url, { credentials, cache: "no-store", redirect: "manual", signal })).text();
  }
}
