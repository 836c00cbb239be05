/**
 * What stands between client and server, in small pieces that can be put together. A rule is a plain
 * object, `{ rule: name, …numbers }`, so that a network can be printed and had again. Made alive it has:
 *
 *   stops            the kinds of transport that cannot be relied on behind it
 *   admit(conn)      at the handshake or request: { hang }, { fail }, { status, text, type }, { retries } or nothing
 *   down(conn)       a stage for what the server says: (item, next) => …; items are
 *                    { is: "head" | "data" | "end" | "cut" | "accept" | "frame" | "close", … }
 *   up(conn)         a stage for WebSocket frames of the client
 *   opened(conn)     it is there
 *
 * Kinds: websocket, stream, sse, poll, serial; "renew" is what renews the session.
 */

import { brokenRules } from "./rules_broken.mjs";
import { bufferRules } from "./rules_buffers.mjs";
import { refusalRules } from "./rules_refusals.mjs";

export const KINDS = ["websocket", "stream", "sse", "poll", "serial"];
export const OPEN_KINDS = ["websocket", "stream", "sse"];
export const POLLS = ["poll", "serial"];

const RULES = { ...refusalRules, ...bufferRules, ...brokenRules };

/** A living rule; `net`: the network that it belongs to. */
export function makeRule(description, net) {
  const make = RULES[description.rule];
  if (!make) throw new Error(`There is no rule ${description.rule}`);
  return { stops: [], ...make(description, net) };
}

/** The kinds that get through all of these rules as they should. */
export function ways(descriptions) {
  const stopped = new Set(descriptions.flatMap((description) => makeRule(description, null).stops));
  const bodies = new Set(descriptions.filter(({ rule }) => rule === "refusesBodies").flatMap(({ types }) => types));
  if (bodies.size > 2) stopped.add("serial");
  return KINDS.filter((kind) => !stopped.has(kind));
}
