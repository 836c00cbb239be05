/** The lanes that are open: how each is opened, what goes beside one that is slow, how many there are. */

import { Ended } from "./errors.js";
import { Holds } from "./holds.js";
import { Lane } from "./lane.js";
import { POOL, SLOWER } from "./pool.js";
import { poll } from "./transports/poll.js";
import { serial } from "./transports/serial.js";
import { sse } from "./transports/sse.js";
import { stream } from "./transports/stream.js";
import { websocket } from "./transports/websocket.js";

const TRANSPORTS = { websocket, stream, sse, poll, serial };
export const NAMES = Object.keys(TRANSPORTS);
/** Which is better: the greater. */
export const RANK = { serial: 0, poll: 1, sse: 2, stream: 3, websocket: 4 };

const HEDGE_MS = 2500;
const AGAIN_MS = 1000; // where the time for there and back is known
const MOST_RTT_MS = 60000; // what took longer was held back by something else
const ALONE_MS = 3000; // where requests go one by one, and the next may have a connection that is not dead
const UNKNOWN_MS = 2500;
const PROOF_MS = 8000;
const PROOF_UNKNOWN_MS = 45000; // nothing is known of the path: it may be a very slow one
const POLL_SPARE_MS = 12000;
const SIDE_BY_SIDE = 2; // of a kind
const ROUNDS = new Set(["poll", "serial"]);
const CONNECTIONS = 5; // a browser makes six per host over HTTP/1.1: one is left to the page
const MOST_LANES = 4;

export class Lanes {
  #world;
  #timers;
  #memory;
  #ctx;
  #hooks;
  #open = new Set();
  rtt = null;
  #holds;

  /**
   * `ctx`, `hooks`: as a lane takes them; besides `hooks.mayHedge(kind)`, `hooks.onLate(lane)`, `hooks.unanswered()`: how
   * many were not answered, where they go one by one, null elsewhere. `heartbeat`: seconds.
   */
  constructor({ world, timers, memory, heartbeat, ctx, hooks }) {
    this.#world = world;
    this.#timers = timers;
    this.#memory = memory;
    this.#ctx = ctx;
    this.heartbeat = heartbeat;
    this.#hooks = { ...hooks, onRtt: (ms) => this.measured(ms) };
    const onLost = (lane) => lane.end(new Ended("silent"));
    this.#holds = new Holds({ memory, timers, patience: () => this.hedgeMs, onLate: hooks.onLate, onLost });
  }

  get hedgeMs() {
    return Math.max(HEDGE_MS, 3 * (this.rtt ?? 0));
  }

  get all() {
    return [...this.#open];
  }

  of(kind) {
    return this.all.filter((lane) => lane.kind === kind);
  }

  /** How many requests may still be made beside these. */
  get spare() {
    return CONNECTIONS - this.#requests;
  }

  get #hasRoom() {
    if (!this.#requests) return true;
    return this.#requests < MOST_LANES && this.#requests + this.#ctx.commands() < CONNECTIONS;
  }

  get #requests() {
    return this.all.filter((lane) => lane.kind !== "websocket").length;
  }

  /** Opens a lane, unless there are too many. */
  open(kind, { pad = !ROUNDS.has(kind) && Boolean(this.#memory.get("pad")), isHedge = false } = {}) {
    if (this.of(kind).length >= SIDE_BY_SIDE || (kind !== "websocket" && !this.#hasRoom)) return null;
    let lane = null;
    // A microtask later the lane is there to be asked.
    const hold = async () => (await null, this.#holds.next(lane, lane.proved && (await this.#ctx.aside())));
    lane = new Lane({ transport: TRANSPORTS[kind], ctx: this.#ctxOf(hold), timers: this.#timers, limitMs: () => this.#limit(kind), hooks: this.#hooks, pad });
    this.#open.add(lane);
    if (!isHedge) this.#hedge(lane);
    return lane;
  }

  delete(lane) {
    this.#open.delete(lane);
    if (lane.isRounds) this.#holds.reset();
  }

  drop(lane) {
    this.#open.delete(lane);
    lane.close();
  }

  clear() {
    this.all.forEach((lane) => this.drop(lane));
  }

  /** A poll was answered that was held for so long. */
  answered(lane, hold) {
    if (hold > 0) this.#holds.answered(hold);
    lane.isLate = false;
  }

  /** The time for there and back, from a connection that stood, or at first from one that was made for it. */
  measured(took) {
    const ms = Math.min(took, MOST_RTT_MS);
    this.rtt = this.rtt === null ? ms : Math.min(ms, (3 * this.rtt + ms) / 4 + 1);
  }

  #ctxOf(hold) {
    return {
      ...this.#ctx,
      query: this.#ctx.query(),
      world: this.#world,
      token: this.#ctx.token(),
      heartbeat: Math.min(this.heartbeat, this.#memory.get("hb") ?? Infinity),
      rtt: () => this.rtt ?? 0,
      hold,
    };
  }

  #limit(kind) {
    const unanswered = this.#hooks.unanswered();
    if (unanswered !== null) return Math.min(MOST_RTT_MS, Math.max(ALONE_MS, 4 * (this.rtt ?? UNKNOWN_MS)) * SLOWER ** unanswered);
    return this.rtt === null ? PROOF_UNKNOWN_MS : Math.max(PROOF_MS, 4 * this.rtt) + (ROUNDS.has(kind) ? POLL_SPARE_MS : 0);
  }

  /** Something beside an attempt that is slow; the attempt goes on. */
  #hedge(lane) {
    if (lane.kind === "poll") this.#hedgePoll(lane, null, this.rtt === null ? HEDGE_MS : Math.max(AGAIN_MS, 4 * this.rtt));
    if (lane.kind === "stream" && !lane.pad) this.#timers.after(this.hedgeMs, () => this.#isSlow(lane) && this.open("stream", { pad: true }));
  }

  /**
   * Another poll beside one that is not answered, then one after the other in place of that: each may have gone
   * into a connection that is dead, which a browser gives up with its request alone.
   */
  #hedgePoll(lane, second, ms, n = 1) {
    this.#timers.after(ms, () => {
      if (lane.ended || lane.proved) return undefined;
      if (!this.#hooks.mayHedge("poll")) return this.#hedgePoll(lane, second, ms, n);
      if (second && !second.ended && !second.proved) this.drop(second);
      return this.#hedgePoll(lane, this.open("poll", { isHedge: true }), (n < POOL ? SLOWER : 2) * ms, n + 1);
    });
  }

  /** A poll was answered before an older one: connections die here unseen, and are better not used again. */
  overtaken(lane) {
    const isOlder = (other) => other !== lane && !other.proved && lane.openedAt - other.openedAt >= AGAIN_MS;
    if (lane.kind === "poll" && this.of("poll").some(isOlder)) this.#ctx.learnt.overtaken();
  }

  #isSlow(lane) {
    return !lane.ended && !lane.proved && this.#hooks.mayHedge(lane.kind);
  }
}
