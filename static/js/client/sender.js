/**
 * Commands to the server and their answers: over the WebSocket while it is the active way, else by
 * requests, in serial mode along with the request for events. What waits goes together, in order. A
 * request that is not answered in time gets another one beside it with the same commands, for the first may
 * have gone into a connection that is dead; the server knows a repeated one by its `client_id`.
 */

import { Ended, Refused, Unauthorised, Unsent } from "./errors.js";
import { POOL, SLOWER } from "./pool.js";
import { isNewAnswered } from "./probe.js";
import { exchange } from "./transports/serial.js";

const UNANSWERED = new Set(["typing", "ping", "auth"]);
const GIVE_UP_MS = 60000;
const MOST_BYTES = 60000;
const FEW_LATE = 2;
const NEW = 2; // a new connection takes longer
const MOST_LATE = 8; // a browser keeps up to six connections that may be dead
const MOST_BESIDE = 3;
const MOST_AT_ONCE = 50;
const MOST_TOGETHER = 30000;

export class Sender {
  #world;
  #timers;
  #strategy;
  #ctx;
  #onEvents;
  #onOver;
  #open = new Map(); // request_id -> { text, frame, resolve, reject, way }
  #waiting = []; // request_ids, for the next request
  #requests = new Set(); // { ids, stop }
  #probing = null;
  #late = 0; // requests in a row that were not answered in time

  /** `onEvents(events)`: what came along with an answer. `onOver()`: somebody else is logged in. */
  constructor({ world, timers, strategy, ctx, onEvents, onOver }) {
    this.#onOver = onOver;
    Object.assign(ctx, { commands: () => this.#requests.size, takeCommands: () => this.#alongWith(), giveBack: (frames, ended) => this.#givenBack(frames, ended) });
    this.#world = world;
    this.#timers = timers;
    this.#strategy = strategy;
    this.#ctx = ctx;
    this.#onEvents = onEvents;
  }

  /** Resolves with the `data` of the answer, null where there is none. Rejects with Refused, Unsent, Unauthorised. */
  command(type, data) {
    const id = this.#world.uuid();
    const frame = { type, data, request_id: id };
    const text = JSON.stringify(frame);
    if (text.length > MOST_BYTES) return Promise.reject(new Refused({ code: "too_large", status: 413, message: "This is too large to be sent." }));
    return new Promise((resolve, reject) => {
      this.#open.set(id, { frame, text, resolve, reject });
      this.#timers.after(Math.max(GIVE_UP_MS, 4 * this.#strategy.patienceMs), () => this.#settle(id, new Unsent("Nobody answered.")));
      this.#send(id);
    });
  }

  /** An event that may be the answer to a command; whether it was. */
  answered({ type, data = {}, request_id: id = data.request_id }) {
    if (!this.#open.has(id)) return false;
    if (type === "error") this.#settle(id, new Refused(data));
    else this.#settle(id, null, data);
    return true;
  }

  /** The WebSocket is gone: what was sent over it and not answered goes another way. */
  lost() {
    for (const [id, { way }] of this.#open) if (way === "websocket") this.#request(id);
  }

  /** Requests go one by one from now on: none may be under way. */
  oneByOne() {
    for (const request of this.#requests) this.#withdraw(request);
  }

  /** There is a way again. */
  resume() {
    this.#carry();
  }

  /** Nobody will be answered any more. */
  stop(reason) {
    this.#probing?.abort();
    for (const request of this.#requests) this.#withdraw(request);
    for (const id of [...this.#open.keys()]) this.#settle(id, reason);
  }

  #send(id) {
    const { active, patienceMs, isSerial } = this.#strategy;
    const command = this.#open.get(id);
    if (isSerial || !active?.send(command.text)) return this.#request(id);
    if (UNANSWERED.has(command.frame.type)) return this.#settle(id, null, null);
    command.way = "websocket";
    return this.#timers.after(patienceMs, () => {
      if (this.#open.get(id)?.way !== "websocket") return;
      active.doubt(patienceMs);
      this.#request(id);
    });
  }

  #request(id) {
    this.#open.get(id).way = "request";
    this.#waiting.push(id);
    this.#carry();
  }

  /** What goes along with a serial request; where others go beside it, nothing: it would overtake them. */
  #alongWith() {
    return this.#strategy.isSerial ? this.#taken().map((id) => this.#open.get(id).frame) : [];
  }

  /** What waits, as much as one request may carry. */
  #taken() {
    let room = MOST_TOGETHER;
    const fits = this.#waiting.findIndex((id) => (room -= this.#open.get(id)?.text.length ?? 0) < 0);
    const isAlone = this.#open.get(this.#waiting[0])?.isAlone;
    const upto = isAlone ? 1 : Math.min(MOST_AT_ONCE, fits < 0 ? this.#waiting.length : Math.max(1, fits));
    return this.#waiting.splice(0, upto).filter((id) => this.#open.has(id));
  }

  /** Makes a request of what waits, unless one is under way. */
  #carry() {
    if (this.#strategy.isSerial || this.#requests.size) return;
    const ids = this.#taken();
    if (ids.length) this.#post(ids);
  }

  /** `repeat`: how many were made before it for the same; `patienceMs`: when the next one is made. */
  async #post(ids, repeat = 0, patienceMs = this.#strategy.patienceMs) {
    const request = { ids, repeat, stop: new AbortController(), isFollowed: false };
    this.#requests.add(request);
    this.#beside(request, patienceMs);
    const ctx = { ...this.#ctx, query: this.#ctx.query(), world: this.#world, token: this.#ctx.token() };
    const commands = ids.map((id) => this.#open.get(id).frame);
    const outcome = await exchange(ctx, { hold: 0, commands }, request.stop.signal, this.#ctx.learnt).catch((error) => error);
    const [oldest] = this.#requests;
    if (!this.#requests.delete(request)) return;
    if (oldest !== request && !(outcome instanceof Error)) this.#ctx.learnt.overtaken();
    if (outcome instanceof Error) this.#failed(ids, outcome);
    else this.#came(ids, outcome.events);
    // Who would have been repeated next is gone: the one before it is.
    const last = [...this.#requests].at(-1);
    if (last && !request.isFollowed) this.#beside(Object.assign(last, { repeat }), 2 * patienceMs);
    this.#carry();
  }

  /** Another request beside one that is not answered, as long as the browser has connections left. */
  #beside(request, patienceMs) {
    this.#timers.after(patienceMs, () => {
      if (!this.#requests.has(request) || this.#strategy.isSerial) return undefined;
      this.#starved();
      if (this.#strategy.isSerial) return undefined;
      if (this.#requests.size >= Math.min(MOST_BESIDE, this.#strategy.spareRequests) && !this.#giveUp()) return this.#beside(request, patienceMs);
      const ids = [...request.ids.filter((id) => this.#open.has(id)), ...this.#taken()];
      if (!ids.length) return undefined;
      request.isFollowed = true;
      const { repeat } = request;
      return this.#post(ids, repeat + 1, repeat === 0 ? patienceMs / 2 : (repeat < POOL ? SLOWER : 2) * patienceMs);
    });
  }

  /** The oldest repeat makes room: its connection may be dead, and is given up with it. */
  #giveUp() {
    const [, oldest] = this.#requests;
    oldest?.stop.abort();
    return this.#requests.delete(oldest);
  }

  /** Events come, but no answers: perhaps requests must go one by one. */
  #starved() {
    this.#late += 1;
    if (!this.#isHeard) return;
    if (this.#late >= MOST_LATE) this.#strategy.starved();
    else if (this.#late === FEW_LATE) this.#probe();
  }

  get #isHeard() {
    const { active, patienceMs } = this.#strategy;
    return Boolean(active) && active.quietMs < 2 * patienceMs + active.beatMs;
  }

  async #probe() {
    const stop = (this.#probing = new AbortController());
    const wanted = { hasToken: Boolean(this.#ctx.token()), ms: NEW * this.#strategy.patienceMs, stop };
    const isAnswered = await isNewAnswered(this.#world, this.#timers, wanted);
    if (!isAnswered && this.#late >= FEW_LATE && this.#isHeard) this.#strategy.starved();
  }

  #came(ids, events) {
    this.#late = 0;
    this.#strategy.sent(null);
    this.#onEvents(events);
    // Where an answer is due it is among the events; a few commands have none.
    for (const id of ids) {
      const command = this.#open.get(id);
      if (command) this.#settle(id, UNANSWERED.has(command.frame.type) ? null : new Unsent("The answer did not come."), null);
    }
  }

  #failed(ids, error) {
    const ended = error instanceof Ended ? error : new Ended("cut", { message: error.message });
    if (ended.kind === "over") return this.#onOver();
    if (ended.kind === "refused") this.#strategy.sent(ended);
    const elsewhere = new Set([...this.#requests].flatMap((request) => request.ids));
    const here = ids.filter((id) => this.#open.has(id) && !elsewhere.has(id));
    // Requests go one by one from now on: the commands go along with the next.
    if (this.#strategy.isSerial && ended.kind === "refused") this.#waiting.unshift(...here);
    else if (ended.kind === "forbidden" && here.length > 1) this.#singly(here);
    else for (const id of here) this.#settle(id, outcomeOf(ended));
  }

  /** Something in it was refused for good: each goes by itself. */
  #singly(ids) {
    for (const id of ids) this.#open.get(id).isAlone = true;
    this.#waiting.unshift(...ids);
  }

  /** Takes a request back; its commands wait again. */
  #withdraw(request) {
    this.#requests.delete(request);
    request.stop.abort();
    this.#waiting.unshift(...request.ids.filter((id) => this.#open.has(id) && !this.#waiting.includes(id)));
  }

  #givenBack(frames, ended) {
    for (const { request_id: id } of frames) if (this.#open.has(id)) this.#settle(id, outcomeOf(ended));
  }

  #settle(id, error, value) {
    const command = this.#open.get(id);
    if (!this.#open.delete(id)) return;
    if (error) command.reject(error);
    else command.resolve(value ?? null);
    // Nobody waits any more for what these bring.
    for (const request of this.#requests) if (!request.ids.some((other) => this.#open.has(other))) this.#withdraw(request);
    this.#carry();
  }
}

/** What the end of a request means for the commands that it carried. */
function outcomeOf(ended) {
  if (ended.kind === "unauthorised") return new Unauthorised();
  if (ended.kind === "forbidden" || ended.status === 413) return new Refused({ code: ended.kind, status: ended.status, message: ended.message });
  if (ended.kind === "limited") return new Refused({ code: "limited", status: ended.status, message: ended.message, retryable: true });
  return new Unsent(ended.message);
}
