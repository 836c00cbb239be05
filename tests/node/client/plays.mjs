/**
 * Random plays: networks that change, somebody who writes, a server that restarts, a page that sleeps.
 * A play is a plain object, `{ seed, phases, acts, options, noWebSocket, sleep }`; the same seed gives the same one.
 */

import { Chance } from "./random.mjs";
import { KINDS, OPEN_KINDS, POLLS } from "./rules.mjs";

const HOW = ["end", "cut", "silent"];
const TYPES = ["text/plain", "application/x-www-form", "application/json"];
const REFUSALS = [403, 403, 404, 429, 502, 503];

/** What may stand in between; each with numbers of its own. */
const MAKERS = [
  (c) => ({ rule: "upgradeRefused", afterMs: c.yes(0.2) ? c.scale(100, 20000) : 0 }),
  () => ({ rule: "upgradeHangs" }),
  (c) => ({ rule: "refuses", kinds: c.some(KINDS, c.between(1, 4)), status: c.one(REFUSALS), afterMs: c.yes(0.2) ? c.scale(100, 9000) : 0 }),
  (c) => ({ rule: "limitsConnections", most: c.between(1, 4), status: c.one([403, 429, 503]), poisonMs: c.yes(0.3) ? c.scale(1000, 60000) : 0 }),
  (c) => ({ rule: "countsKept", most: c.between(1, 4), status: c.one([403, 429, 503]), keptMs: c.scale(5000, 120000), before: c.between(0, 6) }),
  (c) => ({ rule: "refusesBodies", types: c.some(TYPES, c.between(1, 2)), status: c.one([403, 415, 501]) }),
  () => ({ rule: "caches" }),
  (c) => ({ rule: "repeats", times: c.between(2, 4), everyMs: c.scale(1, 2000) }),
  (c) => ({ rule: "stripsQuery", kinds: c.some([...OPEN_KINDS], c.between(1, 3)) }),
  () => ({ rule: "stripsHeaders" }),
  (c) => ({ rule: "buffers", kinds: c.some(OPEN_KINDS.slice(1), c.between(1, 2)), bytes: c.one([Infinity, 1024, 4096, 65536]) }),
  (c) => ({ rule: "clumps", kinds: c.some([...OPEN_KINDS], c.between(1, 2)), bytes: c.scale(100, 8000) }),
  (c) => ({ rule: "delays", kinds: c.some(KINDS, c.between(1, 5)), ms: c.scale(10, 20000) }),
  (c) => ({ rule: "cutsUp", bytes: c.scale(5, 500) }),
  (c) => ({ rule: "limitsHolds", ms: c.scale(500, 60000), tries: c.one([1, 1, 4]), status: c.one([502, 503, 504]) }),
  (c) => ({ rule: "dropsFrames", up: c.yes(0.7), down: c.yes(0.7) }),
  (c) => ({ rule: "losesFrames", every: c.scale(2, 40) }),
  (c) => ({ rule: "diesAfter", kinds: c.some(OPEN_KINDS, c.between(1, 3)), pieces: c.scale(1, 30) }),
  (c) => ({ rule: "limitsLife", kinds: c.some(KINDS, c.between(1, 5)), ms: c.scale(500, 60000), how: c.one(HOW) }),
  (c) => ({ rule: "reloads", kinds: c.some(OPEN_KINDS, c.between(1, 3)), everyMs: c.scale(1000, 60000), how: c.one(HOW) }),
  (c) => ({ rule: "limitsSilence", kinds: c.some([...OPEN_KINDS, ...POLLS], c.between(1, 5)), ms: c.scale(1000, 61000), how: c.one(HOW), up: c.yes(0.2) }),
  (c) => ({ rule: "limitsBytes", kinds: c.some(OPEN_KINDS, c.between(1, 3)), bytes: c.scale(300, 20000), how: c.one(HOW) }),
  (c) => ({ rule: "agesConnections", ...(c.yes(0.5) ? { ms: c.scale(2500, 60000) } : { idleMs: c.scale(1200, 30000) }) }),
  (c) => ({ rule: "swallows", kinds: c.some(KINDS, c.between(1, 5)), share: c.between(5, 60) / 100 }),
];

export function play(seed) {
  const c = new Chance(seed);
  const phases = Array.from({ length: c.between(1, 4) }, () => phase(c));
  phases.push({ latency: c.scale(1, 100), jitter: 0, bps: 0, rules: [], ...edge(c) });
  const until = phases.reduce((sum, { forMs = 0 }) => sum + forMs, 0);
  const kind = { seed, phases, noWebSocket: c.yes(0.1), acts: acts(c, until) };
  if (c.yes(0.1)) return asleep(kind, c, until);
  if (c.yes(0.3)) return leaving(kind);
  return kind;
}

/** Messages are left to the outbox. That of a page without storage does not outlive it, and keeps order by the clock. */
function leaving(kind) {
  const left = kind.acts.filter(({ do: what }) => !["reload", "step"].includes(what));
  return { ...kind, options: { user: "me" }, acts: left.map((act) => (act.do === "send" ? { ...act, do: "add" } : act)) };
}

/** The machine sleeps for a while, in which nobody does anything on it. */
function asleep(kind, c, until) {
  const sleep = { at: c.between(0, until), ms: c.scale(1000, 600000), kills: c.yes(0.6) };
  const outside = new Set(["publish", "signal", "restart", "trim", "expire"]);
  const acts = kind.acts.filter(({ do: what, at }) => outside.has(what) || at < sleep.at - 1 || at > sleep.at + sleep.ms + 1);
  return { ...kind, sleep, acts: acts.filter(({ do: what }) => what !== "throttle") };
}

function phase(c) {
  const line = { forMs: c.scale(3000, 300000), latency: c.scale(1, 600), jitter: c.yes(0.3) ? c.scale(1, 500) : 0, bps: c.yes(0.15) ? c.scale(3000, 100000) : 0 };
  const rules = Array.from({ length: c.one([0, 1, 1, 2, 2, 3, 4]) }, () => c.one(MAKERS)(c));
  if (c.yes(0.2)) return { ...line, rules, ...dead(c), ...edge(c) };
  return { ...line, rules, ...edge(c) };
}

/** Nothing works. */
function dead(c) {
  const kind = c.one(["hang", "fail", "captive", "down"]);
  if (kind === "captive") return { rules: [{ rule: "captive", redirect: c.yes(0.3) }] };
  if (kind === "down") return { rules: [{ rule: "serverDown", status: c.one([0, 502, 503]) }] };
  return { hole: kind, holds: kind === "hang" && c.yes(0.3) };
}

/** How a phase begins. */
function edge(c) {
  return { change: c.one(["keep", "cut", "silent"]), notices: c.yes(0.3), name: c.one(["any", "any", "other"]) };
}

function acts(c, until) {
  const many = (most, make) => Array.from({ length: c.between(0, most) }, () => ({ at: c.between(0, until + 20000), ...make() }));
  const list = [
    ...many(30, () => ({ do: "publish", many: c.one([1, 1, 1, 2, 5]), isVisible: c.yes(0.8) })),
    ...many(10, () => ({ do: "send", clientId: c.uuid(), content: c.one(["from me", "from me", "from me", "fast", "never"]) })),
    ...many(3, () => ({ do: "signal" })),
    ...(c.yes(0.15) ? many(2, () => ({ do: "restart", awayMs: c.scale(100, 20000) })) : []),
    ...(c.yes(0.15) ? many(1, () => ({ do: "expire", inMs: c.one([0, 0, 30000, 65000]) })) : []),
    ...(c.yes(0.05) ? many(1, () => ({ do: "trim" })) : []),
    ...(c.yes(0.05) ? many(1, () => ({ do: "restore" })) : []),
    ...(c.yes(0.1) ? many(2, () => ({ do: "reload" })) : []),
    ...(c.yes(0.1) ? many(3, () => ({ do: "wake", anew: c.yes(0.5) })) : []),
    ...(c.yes(0.1) ? many(2, () => ({ do: "step", ms: c.one([-1, 1]) * c.scale(100, 7200000) })) : []),
    ...(c.yes(0.1) ? many(3, () => ({ do: "life", what: c.one(["visible", "hidden", "resumed", "online", "offline"]) })) : []),
  ];
  if (c.yes(0.1)) list.push(...hidden(c, until));
  return list.sort((a, b) => a.at - b.at);
}

/** For a while the page is hidden, and its timers run once a minute. */
function hidden(c, until) {
  const at = c.between(0, until);
  return [{ at, do: "throttle", on: true }, { at: c.between(at, until + 10000), do: "throttle", on: false }];
}
