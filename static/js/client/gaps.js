/** What a face missed that joined late, or was not reached: from memory, else asked for again. */

import { address, ask, jsonOf } from "./transports/http.js";
import { isRound } from "./transports/poll.js";

const AGAIN_MS = 5000;

export class Gaps {
  #world;
  #timers;
  #ctx;
  #intake;
  #waiting = [];
  #running = new Set();

  constructor({ world, timers, ctx, intake }) {
    this.#timers = timers;
    this.#world = world;
    this.#ctx = ctx;
    this.#intake = intake;
  }

  /** Replies with the events after `cursor`, up to where all others are; with `reset` where there are none. */
  async fill(cursor, reply) {
    this.#intake.flush();
    const known = this.#intake.since(cursor);
    if (known) return known.length && reply({ is: "events", after: cursor, events: known });
    if (this.#running.has(reply)) return undefined; // it goes up to where all others are
    this.#running.add(reply);
    try {
      return await this.#fetch(cursor, reply);
    } catch {
      this.#waiting.push({ cursor, reply });
      return this.#timers.after(AGAIN_MS, () => this.again());
    } finally {
      this.#running.delete(reply);
    }
  }

  /** The connection is back, or it is time: what could not be had is tried again. */
  again() {
    for (const { cursor, reply } of this.#waiting.splice(0)) this.fill(cursor, reply);
  }

  async #fetch(cursor, reply) {
    for (let from = cursor; ; ) {
      const url = address(this.#world, "t/p", { ...this.#ctx.query(), c: from, timeout: 0 });
      const { events } = await jsonOf(await ask(this.#world, url, { token: this.#ctx.token() }), isRound);
      const reset = events.find(({ type }) => type === "reset");
      if (reset) return reply({ is: "reset", ...reset.data });
      const durable = events.filter(({ id }) => id);
      if (durable.length) reply({ is: "events", after: from, events: durable });
      from = durable.at(-1)?.id ?? from;
      const known = this.#intake.since(from);
      if (known?.length) return reply({ is: "events", after: from, events: known });
      if (known || !durable.length) return undefined;
    }
  }
}
