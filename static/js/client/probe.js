/**
 * Whether new connections are answered. Chromium and Firefox do not give a request with other credentials than the rest
 * one of those that they keep for these, and it asks for its connection's end. So one tells apart what looks alike: kept
 * connections that died unseen, after which the next request may pass, and a network that lets no more of them stand,
 * where requests must go one by one.
 */

import { address } from "./transports/http.js";

/**
 * `hasToken`: whether requests carry a token, and no cookies. False after `ms` without an answer, or when `stop`, an
 * AbortController, was used.
 */
export async function isNewAnswered(world, timers, { hasToken, ms, stop }) {
  const cancel = timers.after(ms, () => stop.abort());
  const init = { credentials: hasToken ? "include" : "omit", cache: "no-store", redirect: "manual", signal: stop.signal };
  try {
    await (await world.fetch(address(world, "health/live", { close: 1 }), init)).text();
    return true;
  } catch {
    // What fails at once is told to be so; also an answer that the page may not read is one.
    return !stop.signal.aborted;
  } finally {
    cancel();
  }
}
