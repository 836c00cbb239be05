/**
 * By when the client owes an event or an answer. While at least one way works, all arrives within
 *
 *   51 s   the silence that a connection is allowed: two heartbeats of 25 s and 1 s more
 * + 45 s   the limit for the proof of an attempt when nothing is known of the line
 * + 30 s   the longest pause
 * + 10 s   for the way itself, however long
 *
 * and a minute more where a proxy bears a grudge, or counts connections. Where the server restarts, the token ends or
 * the clock is set, the time begins anew; where timers run once a minute, it is longer.
 */

import { ways } from "./rules.mjs";

export const OWED_MS = 136000;
const GRUDGE_MS = 60000;
const THROTTLED_MS = 300000;
const DISTURBING = new Set(["restart", "expire", "trim", "restore", "step", "reload", "throttle"]);

/** [{ from, to, owedMs }]: when the client is able to do all, and how long that may take. */
export function windows({ phases, acts: done, noWebSocket, sleep }) {
  // A machine that sleeps is like a server that is away.
  const acts = sleep ? [...done, { do: "restart", at: sleep.at, awayMs: sleep.ms }] : done;
  const away = acts.map(({ at: from, awayMs = 0 }) => ({ from, to: from + awayMs })).filter(({ from, to }) => to > from);
  let found = [];
  let at = 0;
  for (const phase of phases) {
    const to = at + (phase.forMs ?? Infinity);
    if (isUsable(phase, noWebSocket)) found.push(...split(at, to, acts, owed(phase)));
    at = to;
  }
  found = found.filter((one) => !away.some(({ from, to }) => one.from >= from && one.to <= to));
  const throttled = acts.filter(({ do: what }) => what === "throttle").map((act) => act.at);
  return found.map((one) => (throttled.length && one.from < throttled[1] && one.to > throttled[0] ? { ...one, owedMs: one.owedMs + THROTTLED_MS } : one));
}

/** When what began at `at` must be done; Infinity: it need never be. */
export function deadline(list, at) {
  for (const { from, to, owedMs } of list) {
    const begin = Math.max(from, at);
    if (begin + owedMs <= to) return begin + owedMs;
  }
  return Infinity;
}

function isUsable({ hole, rules }, noWebSocket) {
  if (hole) return false;
  const kinds = ways(rules).filter((kind) => kind !== "websocket" || !noWebSocket);
  return kinds.length > 0;
}

/** What is sent needs a way, too. */
export function maySend({ hole, rules }, noWebSocket) {
  const kinds = hole ? [] : ways(rules);
  return kinds.includes("serial") || (kinds.includes("websocket") && !noWebSocket);
}

function owed({ rules, latency, jitter = 0 }) {
  const grudges = rules.filter(({ rule }) => rule === "limitsConnections" || rule === "countsKept").map(({ poisonMs = 0 }) => poisonMs + GRUDGE_MS);
  const slow = rules.filter(({ rule }) => rule === "delays").map(({ ms }) => 4 * ms);
  return [...grudges, ...slow].reduce((sum, ms) => sum + ms, OWED_MS) + 20 * (latency + jitter);
}

function split(from, to, acts, owedMs) {
  const breaks = acts.filter(({ do: what, at }) => DISTURBING.has(what) && at < to).flatMap(({ at, awayMs = 0, inMs = 0 }) => [at, at + awayMs + inMs]).filter((at) => at > from && at < to);
  const edges = [from, ...breaks.sort((a, b) => a - b), to];
  return edges.slice(1).map((end, i) => ({ from: edges[i], to: end, owedMs }));
}
