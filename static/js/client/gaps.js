/** What a face missed that joined late, or was not reached: from memory, else asked for again. */

import { address, ask, jsonOf } from "./transports/http.js";
import { isRound } from "./transports/poll.js";

export class Gaps {
  #world;
  #ctx;
  #intake;
  #waiting = [];

  constructor({ world, ctx, intake }) {
    this.#world = world;
    this.#ctx = ctx;
    this.#intake = intake;
  }

  /** Replies with the events after `cursor`, up to where all others are; with `reset` where there are none. */
  async fill(cursor, reply) {
    this.#intake.flush();
    const known = this.#intake.since(cursor);
    if (known) return known.length && reply({ is: "events", after: cursor, events: known });
    try {
      return await this.#fetch(cursor, reply);
    } catch {
      return this.#waiting.push({ cursor, reply });
    }
  }

  /** The connection is back: what could not be had is tried again. */
  again() {
    for (const { cursor, reply } of this.#waiting.splice(0)) this.fill(cursor, reply);
  }

  async #fetch(cursor, reply) {
    const url = address(this.#world, "t/p", { ...this.#ctx.query(), c: cursor, timeout: 0 });
    const { events } = await jsonOf(await ask(this.#world, url, { token: this.#ctx.token() }), isRound);
    const reset = events.find(({ type }) => type === "reset");
    if (reset) return reply({ is: "reset", ...reset.data });
    const durable = events.filter(({ id }) => id);
    if (!durable.length) return undefined;
    reply({ is: "events", after: cursor, events: durable });
    return this.fill(durable.at(-1).id, reply);
  }
}
