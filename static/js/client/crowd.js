/**
 * Connections that a browser keeps though nothing uses them. Proxies that allow a client so many count these, too, and
 * refuse everything until they are gone, which takes minutes. A page cannot close them; whoever refuses can: an address
 * that is longer than what squid, nginx and Apache read (8 KB) is answered with an error and the connection's end.
 */

import { address } from "./transports/http.js";

const LONGER = 8400;
const KEPT = 6; // a browser keeps so many per host
const MOST_MS = 3000;
const AGAIN_MS = 8000;
const MOST_AGAIN_MS = 600000;

export class Crowd {
  #world;
  #timers;
  #notBefore = -Infinity;
  #times = 0;
  /** Whether connections are to be given back before anything else is asked. */
  isDue = false;

  constructor(world, timers) {
    this.#world = world;
    this.#timers = timers;
  }

  /** Everything was refused. */
  refused() {
    this.isDue = this.#world.now() >= this.#notBefore;
  }

  /** Something passes. */
  passed() {
    this.#times = 0;
    this.isDue = false;
  }

  /** Has those end that stand; resolves when they are told. */
  async release({ token, query }) {
    this.isDue = false;
    this.#notBefore = this.#world.now() + Math.min(MOST_AGAIN_MS, AGAIN_MS * 3 ** this.#times);
    this.#times += 1;
    const url = () => address(this.#world, "t/p", { ...query, close: 1, long: "0".repeat(LONGER) });
    const credentials = token ? "omit" : "same-origin";
    const stop = new AbortController();
    const cancel = this.#timers.after(MOST_MS, () => stop.abort());
    const ask = async () => (await this.#world.fetch(url(), { credentials, cache: "no-store", redirect: "manual", signal: stop.signal })).text();
    await Promise.allSettled(Array.from({ length: KEPT }, ask));
    cancel();
  }
}
