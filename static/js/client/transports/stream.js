/**
 * Events as lines of a body that stays open, read by `fetch`: as JSON lines of a type that
 * proxies do not know (`stream`), or as Server-Sent Events (`sse`), for those that refuse the former.
 */

import { eventsOf } from "../check.js";
import { Ended } from "../errors.js";
import { address, ask, pieces } from "./http.js";

export const stream = {
  name: "stream",
  open: (ctx) => reading(ctx, "t/s", undefined, (line) => line.trim() && eventsOf(JSON.parse(line))),
};

/** A transport whose body is made of lines; `eventsIn(line)` gives the events of one, if there are any. */
export function reading(ctx, path, accept, eventsIn) {
  const stop = new AbortController();
  const url = address(ctx.world, path, { ...ctx.query, c: ctx.cursor(), hb: ctx.heartbeat, ramp: 1, chain: 1, pad: ctx.pad ? 1 : null });
  read(ctx, url, accept, eventsIn, stop.signal).catch((error) => {
    if (!stop.signal.aborted) ctx.onEnd(error instanceof Ended ? error : new Ended("foreign", { message: error.message }));
  });
  return { send: () => false, close: () => stop.abort() };
}

async function read(ctx, url, accept, eventsIn, signal) {
  const answer = await ask(ctx.world, url, { signal, accept, token: ctx.token });
  let rest = "";
  for await (const piece of pieces(answer, signal)) {
    if (signal.aborted) return;
    const lines = (rest + piece).split(/\r?\n/);
    rest = lines.pop();
    const events = lines.flatMap((line) => eventsIn(line) || []);
    if (events.length) ctx.onEvents(events);
    if (signal.aborted) return;
  }
  throw new Ended("closed");
}
