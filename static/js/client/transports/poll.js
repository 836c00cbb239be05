import { eventsOf } from "../check.js";
import { Ended } from "../errors.js";
import { address, ask, jsonOf } from "./http.js";

/** Whether this is what a poll is answered with: `{ events: [...], last_event_id }`. */
export const isRound = (value) => Array.isArray(value?.events) && Number.isSafeInteger(value.last_event_id) && Boolean(eventsOf(value.events));

/**
 * Long polling: one request after the other. `ctx.hold()` says for how many seconds the server
 * may hold the next one, `ctx.onRound(seconds held, events)` that one was answered.
 */
export const poll = {
  name: "poll",
  open(ctx) {
    return rounds(ctx, async (hold, signal) => {
      const url = address(ctx.world, "t/p", { ...ctx.query, c: ctx.cursor(), timeout: hold });
      return jsonOf(await ask(ctx.world, url, { signal, token: ctx.token }), isRound);
    });
  },
};

/** A transport of requests one after the other; `round(hold, signal)` makes one. */
export function rounds(ctx, round) {
  const stop = new AbortController();
  const run = async () => {
    while (!stop.signal.aborted) {
      const hold = await ctx.hold();
      if (stop.signal.aborted) return;
      const { events } = await round(hold, stop.signal);
      if (stop.signal.aborted) return;
      ctx.onEvents(events);
      ctx.onRound(hold, events);
    }
  };
  run().catch((error) => {
    if (!stop.signal.aborted) ctx.onEnd(error instanceof Ended ? error : new Ended("foreign", { message: error.message }));
  });
  return { send: () => false, close: () => stop.abort() };
}
