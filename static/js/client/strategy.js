/**
 * Finds a way through whatever stands between, and keeps one.
 *
 *   t = 0        a poll that is not held, and the WebSocket beside it
 *   t = 300 ms   a stream, if nothing better is proved; one with padding beside it when it is slow,
 *                Server-Sent Events when streams are refused
 *
 * Whatever comes on any of them is taken in at once. A lane becomes the active one when it is proved
 * and better than the active one; lesser ones are closed a moment later. Attempts go on beside each
 * other and are not given up because they are slow. When the active lane ends, all begins anew
 * with a poll at once. A transport that failed while a lesser one worked is tried again after a
 * pause that grows; what failed while nothing worked says nothing about transports. Where
 * requests side by side are refused, one request at a time carries everything.
 */

import { backoff } from "./backoff.js";
import { Blame } from "./blame.js";
import { Crowd } from "./crowd.js";
import { Lanes, NAMES, RANK } from "./lanes.js";
import { Plans } from "./plans.js";
import { POOL } from "./pool.js";
import { isRefusal, Turns } from "./turns.js";

const STREAM_AFTER_MS = 300;
const POLL_AFTER_MS = 1500; // behind its other form
const KEEP_OLD_MS = 300;
const DOUBT_MS = 3000;
const KNOWN_DOUBT_MS = 2000; // where the time for there and back is known
const DOUBT_MOST_MS = 10000;
const URGE_MS = 30000;
const FOREIGN_MOST_MS = 8000;
const YOUNG_MS = 60000;
const YOUNG_MOST_MS = 5000;
const ECHO_MS = 500;
const SETTLE_MS = 150;
const BRIEFLY_MS = 60000;
const MOST_FIRST_MS = 5000; // a stream may begin with much
const FLAP_ROUNDS = 2; // the one that proved it, and the next
const FLAP_MOST_MS = 8000;

export class Strategy {
  #world;
  #timers;
  #memory;
  #allowed;
  #hooks;
  #blame;
  #crowd;
  #ctx;
  #turns;
  #plans;
  #lanes;
  #stopped = true;
  #rounds = 0;
  #flaps = 0;
  #notBefore = 0;
  #isForeign = false;
  #downAt = 0;
  #urgedAt = -Infinity;
  active = null;
  /** Why the last lane ended. */
  lastEnd = null;

  /**
   * `ctx`: { cursor(), query(), token(), learnt, takeCommands(), giveBack(commands, ended),
   * commands(): how many requests carry commands, aside(): does what goes between two rounds }, for the
   * transports. `hooks`: onEvent(lane, event), onActive(lane), onLost(ended), onIdle(at: ms of the next try),
   * onBusy(), onSerial(), onEnd(lane, ended), onUnauthorised(). `transports`: the names of those that may be used,
   * or null for all. `heartbeat`: the longest silence that is asked for, in seconds.
   */
  constructor({ world, timers, memory, transports, heartbeat, ctx, hooks }) {
    this.#world = world;
    this.#timers = timers;
    this.#memory = memory;
    this.#allowed = new Set(transports ?? NAMES);
    this.#hooks = hooks;
    this.#blame = new Blame(memory, world);
    this.#crowd = new Crowd(world, timers);
    this.#ctx = ctx;
    this.#plans = new Plans(world, timers);
    this.#turns = new Turns({ world, memory, may: this.#allowed.has("serial") });
    const ofLane = {
      onEvent: (lane, event) => this.#hooks.onEvent(lane, event),
      onProof: (lane) => this.#proved(lane),
      onEnd: (lane, ended) => this.#ended(lane, ended),
      onRound: (lane, hold) => (this.#turns.passed(), this.#lanes.answered(lane, hold)),
      onLate: (lane) => this.#late(lane),
      unanswered: () => (this.isSerial ? this.#turns.unanswered : null),
      mayHedge: (kind) => !this.#stopped && !this.isSerial && this.#may(kind),
    };
    this.#lanes = new Lanes({ world, timers, memory, heartbeat, ctx, hooks: ofLane });
  }

  /** How long an answer is waited for before something else is done beside, in ms. */
  get patienceMs() {
    return this.#lanes.rtt === null ? DOUBT_MS : Math.max(KNOWN_DOUBT_MS, 4 * this.#lanes.rtt);
  }

  /** How many requests may be made beside the lanes. */
  get spareRequests() {
    return this.#lanes.spare;
  }

  get isSerial() {
    return this.#turns.isSerial;
  }

  start() {
    this.#stopped = false;
    this.#downAt = this.#world.now();
    this.#begin();
  }

  /** Closes everything; `start` begins again. */
  stop() {
    this.#stopped = true;
    this.#plans.clear();
    this.#lanes.clear();
    this.#crowd.stop();
    this.active = null;
  }

  /** Ends a pause. A connection that stands is put to the proof if it was quiet, or in any case `anew`. */
  wake({ anew = false } = {}) {
    if (this.#stopped) return;
    this.#rounds = this.#notBefore = this.#flaps = 0;
    if (!this.active) return this.#afresh();
    if (!anew && this.active.quietMs <= this.active.beatMs) return;
    if (!this.active.isRounds) this.active.doubt(Math.min(DOUBT_MOST_MS, this.patienceMs));
    if (this.isSerial) return;
    if (anew && this.active.kind === "websocket") this.#beside(this.active);
    if (this.#allowed.has("poll")) this.#lanes.open("poll");
  }

  /** A WebSocket has a connection of its own; a request may get one that is as dead as this. */
  #beside(lane) {
    this.#timers.after(Math.max(ECHO_MS, 2 * (this.#lanes.rtt ?? 0)), () => {
      if (lane === this.active && lane.isLate) this.#lanes.open("websocket");
    });
  }

  /** Another network, perhaps: what was learnt need not hold, and what stands may be dead. */
  moved() {
    this.#memory.forget();
    this.#lanes.rtt = null;
    const wasSerial = this.#turns.forget();
    if (wasSerial && !this.#stopped) this.#restart();
    else this.wake({ anew: true });
  }

  /** The others began before what this one says; null: all of them. */
  keep(lane) {
    for (const other of this.#lanes.all) if (other !== lane) this.#lanes.drop(other);
    if (this.active !== lane) this.active = null;
    if (!lane) this.#begin();
  }

  /** A command's own request was refused (`ended`), or got through. */
  sent(ended) {
    if (!ended) this.#passedBeside();
    else if (this.#stopped) return;
    else if (this.#turns.refused(ended, { isCommand: true })) this.#serialise(ended);
    else this.#urge();
  }

  #passedBeside() {
    this.#turns.passed({ isCommand: true });
    if (this.active && !this.active.isRounds) this.#turns.freed();
  }

  /** Requests that carry something do not pass here: a WebSocket is worth another try before its time. */
  #urge() {
    if (this.isSerial || !this.#may("websocket") || this.#world.now() - this.#urgedAt < URGE_MS) return;
    this.#urgedAt = this.#world.now();
    if (!this.#lanes.of("websocket").length) this.#lanes.open("websocket");
  }

  /** Commands are not answered while events come. */
  starved() {
    if (!this.#stopped && this.#turns.enter(BRIEFLY_MS)) this.#serialise();
  }

  #begin() {
    if (this.#stopped || this.#crowd.isReleasing) return;
    this.#plans.drop("begin");
    const wait = this.#notBefore - this.#world.now();
    if (wait > 0) return this.#later(wait);
    this.#isForeign = false;
    this.#hooks.onBusy();
    if (!this.isSerial) return this.#race();
    return this.#crowd.isDue ? this.#release() : this.#serially();
  }

  /** Tries all that is better than what there is. */
  #race() {
    // While nothing works one asks seldom, mostly for the simplest, and by turns in its other form.
    const carries = !this.active && this.#turns.isNext(this.#rounds);
    if (carries) this.#plan("serial", 0);
    this.#plan("poll", carries ? POLL_AFTER_MS : 0);
    if (carries) return;
    if (!this.active && this.#allowed.has("poll") && this.#rounds > 2 && this.#rounds % 3) return;
    this.#plan("websocket", 0);
    const beside = this.#may("websocket") && this.#blame.wait("websocket") === 0 ? STREAM_AFTER_MS : 0;
    this.#plan("stream", beside);
    if (!this.#allowed.has("stream") || this.#blame.wait("stream") > 0) this.#plan("sse", beside);
  }

  /** `ended`: what was refused, perhaps for what the browser keeps open. */
  #serialise(ended) {
    if (ended) this.#crowd.refused(ended);
    this.#hooks.onSerial();
    this.#restart();
  }

  async #release() {
    await this.#crowd.release({ hasToken: Boolean(this.#ctx.token()) });
    if (!this.#stopped) this.#plans.at("begin", SETTLE_MS, () => this.#begin());
  }

  /** One request at a time; now and then another kind of one. */
  #serially() {
    const { kind } = this.#turns;
    if (!this.#lanes.all.length) this.#lanes.open(this.#allowed.has(kind) ? kind : "serial");
    this.#planRace();
  }

  #planRace() {
    this.#plans.drop("race");
    this.#plans.at("race", this.#turns.leftMs, () => (this.#turns.leave(), this.#restart()));
  }

  #restart() {
    if (this.active) this.#hooks.onLost(null);
    this.#lanes.clear();
    this.active = null;
    this.#plans.clear();
    this.#begin();
  }

  /** What has been under way for long is not waited for any more. */
  #afresh() {
    for (const lane of this.#lanes.all) if (this.#world.now() - lane.openedAt > this.#lanes.hedgeMs) this.#lanes.drop(lane);
    this.#begin();
  }

  #may(kind) {
    return this.#allowed.has(kind) && (!this.active || RANK[kind] > RANK[this.active.kind]);
  }

  /** Tries a transport, as soon as it may be tried. */
  #plan(kind, ms) {
    if (!this.#may(kind)) return;
    this.#plans.at(kind, Math.max(ms, this.#blame.wait(kind), this.#notBefore - this.#world.now()), () => {
      if (!this.#stopped && !this.isSerial && this.#may(kind) && !this.#lanes.of(kind).length) this.#lanes.open(kind);
    });
  }

  #later(ms) {
    this.#plans.at("begin", ms, () => this.#begin());
    if (!this.#lanes.all.length) this.#hooks.onIdle(this.#plans.when("begin"));
  }

  #proved(lane) {
    this.#rounds = 0;
    this.#crowd.passed();
    this.#blame.proved(this.#lanes.rtt ?? 0);
    if (lane.pad && !this.#memory.get("pad")) this.#memory.set("pad", true);
    const took = this.#world.now() - lane.openedAt;
    if (lane.isRounds) this.#lanes.measured(took);
    else if (this.#lanes.rtt === null) this.#lanes.measured(Math.min(took, MOST_FIRST_MS));
    this.#lanes.overtaken(lane);
    if (this.isSerial && lane.kind !== "serial") return this.#probed(lane);
    if (lane.kind === "serial" && !this.active && this.#turns.found()) return this.#serialise();
    this.#taught(lane);
    if (this.#isBetter(lane)) return this.#promote(lane);
    this.#lanes.drop(lane);
    return this.#hooks.onActive(this.active);
  }

  /** What its proof says of going one by one. */
  #taught(lane) {
    if (this.isSerial) return this.#turns.proved(), this.#planRace();
    this.#turns.passed();
    if (lane.kind !== "serial") this.#turns.refuted();
    return lane.kind === "websocket" && this.#turns.freed();
  }

  #isBetter({ kind }) {
    const { active } = this;
    if (!active || RANK[kind] > RANK[active.kind]) return true;
    return active.isLate && (active.isRounds || kind === active.kind);
  }

  /** A request that only asks passes; now one that carries something must, too. */
  #probed(lane) {
    this.#turns.got();
    this.#lanes.drop(lane);
    // Its connection must be free again: the next request would get a second one.
    this.#plans.at("begin", SETTLE_MS, () => this.#begin());
  }

  #promote(lane) {
    this.active = lane;
    this.#plans.drop("begin");
    this.#hooks.onActive(lane);
    // The old one may still bring what is on its way.
    this.#timers.after(KEEP_OLD_MS, () => lane === this.active && this.#dropBelow(lane));
    if (!this.isSerial) this.#race();
  }

  #dropBelow(lane) {
    for (const other of this.#lanes.all) if (other !== lane && RANK[other.kind] <= RANK[lane.kind]) this.#lanes.drop(other);
  }

  #late(lane) {
    lane.isLate = true;
    if (lane === this.active && !this.isSerial) this.#lanes.open("poll");
  }

  #ended(lane, ended) {
    this.#lanes.delete(lane);
    const wasActive = lane === this.active;
    if (wasActive) {
      this.active = null;
      this.#downAt = this.#world.now();
    }
    this.#note(ended);
    this.#hooks.onEnd(lane, ended);
    if (this.#stopped) return undefined;
    if (ended.kind === "unauthorised") return this.#hooks.onUnauthorised();
    if (ended.kind === "goodbye") this.#notBefore = this.#world.now() + ended.retryMs;
    const ms = this.#blame.fault(lane, ended, Boolean(this.active));
    if (this.isSerial && !lane.proved) return this.#failedAlone(ended);
    if (lane.kind !== "websocket" && this.#turns.refused(ended)) return this.#serialise(ended);
    if (wasActive) return this.#demote(lane, ended, ms);
    this.#instead(lane, ms);
    return this.active || this.#later(this.#pause(ended));
  }

  /** What people are told of: that another page answered says more than what else failed beside it. */
  #note(ended) {
    if (ended.kind === "foreign" || !this.#isForeign) this.lastEnd = ended;
    this.#isForeign ||= ended.kind === "foreign";
  }

  /** Also one by one requests fail: perhaps for what they carry. */
  #failedAlone(ended) {
    const isFirst = this.#turns.tried === 0 && ended.kind === "refused";
    this.active = null;
    if (isRefusal(ended)) this.#crowd.refused(ended);
    if (this.#turns.failed(ended)) {
      this.#turns.leave({ never: true });
      return this.#restart();
    }
    // It took its time already; and it may be the connection that is dead, of a few that a browser keeps.
    const isDead = ended.kind === "silent" && this.#turns.unanswered <= POOL;
    return isFirst || isDead ? this.#begin() : this.#later(this.#pause(ended));
  }

  #demote(lane, ended, ms) {
    const proved = this.#lanes.all.filter((other) => other.proved).sort((a, b) => RANK[b.kind] - RANK[a.kind]);
    if (proved.length) this.#promote(proved[0]);
    else this.#hooks.onLost(ended);
    if (lane.isRounds && this.#isFlapping(lane)) return this.#later(this.#pause(ended));
    this.#begin();
    return lane.isRounds || this.#plan(lane.kind, ms);
  }

  /** Whether polls are answered and then fail at once, again and again. */
  #isFlapping(lane) {
    this.#flaps = lane.round <= FLAP_ROUNDS ? this.#flaps + 1 : 0;
    return this.#flaps > 1;
  }

  /** An attempt failed: again later, and something like it now. */
  #instead(lane, ms) {
    if (lane.kind === "serial") this.#plans.drop("poll"); // it failed at once, and so would this
    if (!lane.isRounds && this.active) this.#plan(lane.kind, ms);
    if (lane.kind === "websocket") this.#plan("stream", 0);
    if (lane.kind === "stream" && !this.#lanes.of("stream").length) this.#plan("sse", 0);
  }

  #pause(ended) {
    if (this.#plans.when("begin") !== null) return Infinity;
    const isYoung = this.#world.now() - this.#downAt < YOUNG_MS;
    const most = ended.kind === "foreign" ? FOREIGN_MOST_MS : isYoung ? YOUNG_MOST_MS : undefined;
    this.#rounds += 1;
    const ms = this.#flaps > 1 ? backoff(this.#world, this.#flaps, FLAP_MOST_MS) : backoff(this.#world, this.#rounds, most);
    return Math.max(ended.retryMs ?? 0, ms);
  }
}
