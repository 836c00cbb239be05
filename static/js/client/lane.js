/**
 * One attempt at one transport: it takes in what comes, and knows whether the way works.
 *
 * An opened connection proves nothing: a proxy may accept it and swallow what follows, or
 * bring what is old. A WebSocket is proved by the echo of its own ping and by having caught up, a
 * stream by having caught up, a poll by an answer. A lane ends on silence, and when it did not
 * bring what the server says that it sent.
 */

import { isWhole } from "./check.js";
import { Ended } from "./errors.js";

const FIRST_BEAT_S = 2;
const SLACK_MS = 1000;
const LOOK_MS = 2000;
const ANSWER_MS = 3000;
const ECHO_MS = 10000;
const MARKS = new Set(["after", "heartbeat", "caught_up"]);

export class Lane {
  #timers;
  #hooks;
  #link = null;
  #beat = FIRST_BEAT_S;
  #most;
  #pinged = 0;
  #askedAt = null; // when the oldest ping was sent that has no echo yet
  #echoed = false;
  #caughtUp = false;
  #pingAt = 0;
  #rtt;
  ended = false;
  endedQuietMs = 0;
  longestQuietMs = 0;
  proved = false;
  provedAt = 0;
  round = 0; // how many requests it has made
  isLate = false; // whether what should have come has not: another that is as good takes its place

  /**
   * `ctx`: what the transport gets besides the lane's own handlers. `limitMs()`: it must be
   * proved by then. `hooks`: onEvent(lane, event), onProof(lane), onEnd(lane, ended), onRound(lane, hold),
   * onRtt(ms).
   */
  constructor({ transport, ctx, timers, limitMs, hooks, pad = false }) {
    this.kind = transport.name;
    this.pad = pad;
    this.openedAt = this.heardAt = ctx.world.now();
    this.now = ctx.world.now;
    this.position = ctx.cursor();
    this.began = this.position;
    this.#timers = timers;
    this.#hooks = hooks;
    this.#most = ctx.heartbeat;
    this.#rtt = ctx.rtt;
    this.#beat = Math.min(FIRST_BEAT_S, ctx.heartbeat);
    this.#link = transport.open({
      ...ctx,
      pad,
      onOpen: () => this.ended || this.ping(),
      onEvents: (events) => this.#take(events),
      onRound: (hold, events) => this.#round(hold, events),
      onEnd: (ended) => this.end(ended),
    });
    this.#limit(limitMs);
  }

  /** Whether it holds a request that is answered once, and no connection that beats. */
  get isRounds() {
    return this.kind === "poll" || this.kind === "serial";
  }

  get beatMs() {
    return this.#beat * 1000;
  }

  /** For how long nothing has come. */
  get quietMs() {
    return this.now() - this.heardAt;
  }

  send(text) {
    return !this.ended && Boolean(this.#link?.send(text));
  }

  /** Asks the other end for an echo; false where this transport cannot. */
  ping() {
    this.#pinged += 1;
    this.#askedAt ??= this.now();
    return this.send(JSON.stringify({ type: "ping", data: { n: this.#pinged } }));
  }

  /** It must be heard of within `ms`, or it ends. */
  doubt(ms) {
    const asked = this.now();
    this.isLate = true;
    this.ping();
    this.#timers.after(ms, () => this.heardAt >= asked || this.end(new Ended("silent")));
  }

  end(ended) {
    if (this.ended) return;
    this.endedQuietMs = this.quietMs;
    this.close();
    this.#hooks.onEnd(this, ended);
  }

  close() {
    this.ended = true;
    this.#link?.close();
  }

  /** It ends if it is not proved in time; what is enough time may be known only later. */
  #limit(limitMs) {
    if (this.proved || this.ended) return;
    const left = limitMs() - (this.now() - this.openedAt);
    if (left <= 0) this.end(new Ended("silent"));
    else this.#timers.after(Math.min(left, LOOK_MS), () => this.#limit(limitMs));
  }

  #take(events) {
    if (this.ended) return;
    if (this.proved) this.longestQuietMs = Math.max(this.longestQuietMs, this.quietMs);
    this.heardAt = this.now();
    if (!this.isRounds) this.isLate = false;
    const isChained = events.some(({ type }) => type === "after");
    for (const event of events) {
      if (this.ended) return;
      if (!isWhole(event)) this.#passOver(event);
      else if (this.#lacks(event, isChained)) this.end(new Ended("lossy"));
      else this.#handle(event);
    }
  }

  /** One that cannot be understood must not stop those behind it. */
  #passOver(event) {
    console.warn("quartchat: an event without what its type needs", event.type);
    if (event.id) this.#pass({ ...event, type: "unreadable" }, "unreadable", {});
  }

  /** Whether the server has sent on this connection what did not arrive, or began elsewhere than it should. */
  #lacks({ id, type, data = {} }, isChained) {
    // Where the query got lost on the way nothing tells what a dropped frame held.
    if (id && this.kind === "websocket" && !isChained) return true;
    // 0 asks for all that is kept, wherever that begins.
    if (this.position === null || (type === "hello" && this.position === 0)) return false;
    return (type === "hello" ? data.cursor : MARKS.has(type) ? data.last_event_id : 0) > this.position;
  }

  #handle(event) {
    const { type, data = {} } = event;
    if (type === "pong") this.#echo(data);
    else if (type === "heartbeat") this.#pace(data.heartbeat);
    else if (type === "caught_up") this.#reach();
    else if (type === "after") return;
    else this.#pass(event, type, data);
  }

  #pass(event, type, data) {
    if (type === "hello") this.#greet(data);
    if (type === "reset") this.position = data.head;
    if (event.id) this.position = Math.max(this.position ?? 0, event.id);
    if (!this.ended) this.#hooks.onEvent(this, event);
  }

  #greet({ cursor, heartbeat }) {
    this.position ||= cursor;
    if (heartbeat > 0) this.#pace(heartbeat);
  }

  #pace(seconds) {
    if (seconds > 0 && this.kind !== "websocket") this.#beat = Math.min(seconds, this.#most);
  }

  #echo({ n }) {
    if (n === this.#pinged) {
      this.#hooks.onRtt(this.now() - this.#askedAt);
      this.#askedAt = null;
      if (this.proved) this.#beat = Math.min(2 * this.#beat, this.#most);
      this.#pingAt = this.now() + this.beatMs;
    } else if (this.#askedAt !== null) this.#askedAt = this.now();
    this.#echoed = true;
    this.#prove();
  }

  #reach() {
    this.#caughtUp = true;
    this.#prove();
  }

  #round(hold) {
    this.#caughtUp = true;
    this.#prove();
    if (!this.ended) this.#hooks.onRound(this, hold);
  }

  #prove() {
    if (this.proved || this.ended || !this.#caughtUp || (this.kind === "websocket" && !this.#echoed)) return;
    this.proved = true;
    this.provedAt = this.now();
    this.#hooks.onProof(this);
    this.#pingAt = this.now() + this.beatMs;
    if (!this.ended && !this.isRounds) this.#watch();
  }

  /** How long nothing may come: two beats, and on a slow line, while beats are short, its time there and back. */
  get #limitMs() {
    const rtt = this.#rtt();
    const most = 2000 * this.#most + SLACK_MS;
    return Math.min(most, 2 * this.beatMs + Math.max(SLACK_MS, 2 * rtt), this.beatMs + Math.max(ANSWER_MS, 4 * rtt));
  }

  /** Whether pings have been without an echo for too long, though other things come. */
  get #isUnheard() {
    return this.#askedAt !== null && this.now() - this.#askedAt >= Math.max(ECHO_MS, 2 * this.beatMs + SLACK_MS, 4 * this.#rtt());
  }

  /** Beats for as long as it lives; the pause doubles while all is well. */
  #watch() {
    if (this.ended) return undefined;
    if (this.#isUnheard || this.quietMs >= this.#limitMs) return this.end(new Ended("silent"));
    const left = this.#limitMs - this.quietMs;
    const toPing = this.kind === "websocket" ? this.#pingAt - this.now() : Infinity;
    return this.#timers.after(Math.max(0, Math.min(left, toPing)), () => this.#pulse());
  }

  #pulse() {
    if (this.ended) return;
    if (this.kind === "websocket" && this.now() >= this.#pingAt) {
      this.#pingAt = this.now() + this.beatMs;
      this.ping();
    }
    this.#watch();
  }
}
