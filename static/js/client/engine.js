/**
 * One connection for all who share it: the way through (strategy), the cursor and what it
 * takes in, the commands, what waits to be sent, and the state that people are told. It knows no page; faces
 * hear of it, and tell it, by messages (see `take` and `docs/client.md`).
 */

import { Asides } from "./asides.js";
import { backoff } from "./backoff.js";
import { Ended, Unauthorised, Unsent } from "./errors.js";
import { Frail } from "./frail.js";
import { Gaps } from "./gaps.js";
import { Intake } from "./intake.js";
import { Memory } from "./memory.js";
import { Outbox } from "./outbox.js";
import { renewCookies } from "./renewal.js";
import { Sender } from "./sender.js";
import { State } from "./state.js";
import { steady } from "./steady.js";
import { Strategy } from "./strategy.js";
import { Timers } from "./timers.js";
import { Uploads } from "./uploads.js";
import { Vault } from "./vault.js";

const HEARTBEAT_S = 25;
const AGAIN_MS = 10000;
const AHEAD_MS = 60000;
const LOOK_MS = 10000;

export class Engine {
  #world;
  #options;
  #out;
  #timers;
  #strategy;
  #intake;
  #sender;
  #gaps;
  #asides = new Asides(() => this.#strategy.isSerial);
  #state;
  #outbox = null;
  #renewing = null;
  #renewedAt = -Infinity;
  #renewals = 0;
  #started = false;
  #isStopped = false;
  #ctx;

  /**
   * `options`: { token, asks, html, chats, transports, user, heartbeat }, all optional;
   * `asks`: a face gives tokens when it is asked. `memory`: what a
   * message `remember` once brought. `out(message)`: to all faces.
   */
  constructor({ world: given, options = {}, memory, out }) {
    const world = steady(given);
    this.#world = world;
    this.#options = { ...options };
    this.#out = out;
    this.#timers = new Timers(world, () => this.#life("resumed"));
    this.#intake = new Intake({ onEvents: (after, events) => out({ is: "events", after, events }) });
    const remembered = new Memory(world, memory, (saved) => out({ is: "remember", memory: saved }));
    const frail = new Frail(remembered);
    this.#ctx = {
      turns: { failed: 0 },
      aside: () => this.#asides.next(),
      cursor: () => this.#intake.cursor,
      token: () => this.#options.token ?? null,
      query: () => ({ u: options.user, html: options.html ? 1 : null, chats: options.chats?.join(",") || null, ...frail.query }),
      learnt: { overtaken: () => frail.overtaken(), get body() { return remembered.get("body"); }, set body(name) { remembered.set("body", name); } },
    };
    this.#strategy = new Strategy({
      world,
      timers: this.#timers,
      memory: remembered,
      transports: options.transports,
      heartbeat: options.heartbeat ?? HEARTBEAT_S,
      ctx: this.#ctx,
      hooks: {
        onEvent: (lane, event) => this.#received(lane, event),
        onActive: (lane) => this.#live(lane),
        onLost: (ended) => this.#lost(ended),
        onIdle: (at) => this.#state.waiting(at, this.#strategy.lastEnd),
        onBusy: () => this.#state.busy(),
        onSerial: () => this.#sender.oneByOne(),
        onEnd: (lane, ended) => (ended.kind === "over" ? this.#over("other_user") : frail.ended(ended, this.cursor)),
        onUnauthorised: () => this.#unauthorised(),
      },
    });
    this.#sender = new Sender({ world, timers: this.#timers, strategy: this.#strategy, ctx: this.#ctx, onEvents: (events) => this.#brought(events), onOver: () => this.#over("other_user") });
    this.#gaps = new Gaps({ world, timers: this.#timers, ctx: this.#ctx, intake: this.#intake });
    this.#state = new State({ world, timers: this.#timers, onChange: (status) => this.#say({ is: "status", status }) });
  }

  get cursor() {
    return this.#intake.cursor;
  }

  get status() {
    return this.#state.status;
  }

  /** `cursor`: the id of the last event that the first face shows; null: from the head on. */
  start(cursor) {
    if (this.#started) return;
    this.#started = true;
    this.#intake.begin(cursor ?? null);
    this.#look();
    if (this.#options.user) this.#openOutbox();
    if (this.#options.asks && !this.#options.token) this.#unauthorised();
    else this.#strategy.start();
  }

  /** Whoever wakes from sleep is to notice it soon: the timer that rings late says so. */
  #look() {
    this.#timers.after(LOOK_MS, () => this.#look());
  }

  stop() {
    this.#isStopped = true;
    this.#strategy.stop();
    this.#sender.stop(new Unsent("closed"));
    this.#outbox?.stop();
    this.#asides.letGo();
    this.#timers.clear();
  }

  /** A message of a face; `reply(message)` goes to that face alone. */
  take(message, reply) {
    this.#timers.tick();
    const acts = {
      join: () => this.#join(message, reply),
      gap: () => this.#gaps.fill(message.cursor, reply),
      command: () => this.#command(message, reply),
      wake: () => this.#strategy.wake(message),
      life: () => this.#life(message.what),
      ping: () => reply({ is: "pong", n: message.n }),
      outbox: () => this.#outbox?.take(message),
      token: () => this.#tokenCame(message.token),
    };
    return acts[message.is]?.();
  }

  #say(message) {
    this.#intake.flush();
    this.#out(message);
  }

  #join({ cursor }, reply) {
    this.start(cursor);
    this.#intake.flush();
    reply({ is: "joined", cursor: this.cursor });
    reply({ is: "status", status: this.status });
    if (this.#outbox) reply({ is: "outbox", entries: this.#outbox.entries });
    if (this.status.state === "over") reply({ is: "over" });
    if (Number.isSafeInteger(cursor) && this.cursor !== null && cursor < this.cursor) this.#gaps.fill(cursor, reply);
  }

  async #command({ n, type, data }, reply) {
    try {
      reply({ is: "answer", n, ok: true, value: await this.command(type, data) });
    } catch (error) {
      const { name, code, message, status, retryable } = error;
      reply({ is: "answer", n, ok: false, error: { name, code, message, status, retryable } });
    }
  }

  /** Sends a command; one that finds the token expired is sent again with a new one. */
  command(type, data) {
    return this.#renewed(() => this.#sender.command(type, data));
  }

  async #renewed(work) {
    try {
      return await work();
    } catch (error) {
      if (error.kind === "over") this.#over("other_user");
      if (!(error instanceof Unauthorised) || !(await this.#renew())) throw error;
      return work();
    }
  }

  #received(lane, event) {
    if (this.#state.isOffline && lane === this.#strategy.active) this.#state.live(lane.kind);
    const { type, data = {} } = event;
    if (type === "hello") return this.#greeted(lane, data);
    if (type === "reset") return this.#reset(lane, data);
    if (type === "goodbye") return lane.end(new Ended("goodbye", { retryMs: data.retry_ms ?? 0, message: data.message }));
    if (type === "token_expiring") return this.#renewAhead();
    if (type === "error" && data.code === "other_user") return this.#over("other_user");
    if (event.id) return this.#deliver(event);
    if (this.#sender.answered(event) || type === "error") return undefined;
    return lane === this.#strategy.active && this.#say({ is: "signal", event });
  }

  #deliver(event) {
    if (!this.#intake.take(event)) return;
    if (event.type !== "new_message") return;
    this.#state.came();
    if (event.data.client_id) this.#outbox?.acked(event.data.client_id);
  }

  /** What an answer to a request brought besides: events from the cursor on, in order. */
  #brought(events) {
    for (const event of events) {
      if (event.id) this.#deliver(event);
      else if (event.type === "reset") this.#reset(null, event.data);
      else this.#sender.answered(event);
    }
  }

  #greeted(lane, { cursor }) {
    if (this.cursor === null) {
      this.#intake.begin(cursor);
      this.#say({ is: "joined", cursor });
    }
    // It began at a newer head than others that had no cursor either.
    else if (lane.began === null && cursor > this.cursor) lane.end(new Ended("stale"));
  }

  #reset(lane, { reason, head }) {
    this.#strategy.keep(lane);
    this.#intake.begin(head);
    this.#say({ is: "reset", reason, head });
  }

  #live(lane) {
    this.#renewals = 0;
    this.#state.live(lane.kind);
    this.#sender.resume();
    if (!this.#strategy.isSerial) this.#asides.letGo();
    this.#outbox?.flush();
    this.#gaps.again();
  }

  #lost(ended) {
    this.#outbox?.rest();
    this.#asides.letGo();
    this.#sender.lost();
    this.#state.lost(ended);
  }

  #life(what) {
    if (what === "online") this.#strategy.moved();
    else if (what === "offline") this.#state.look();
    else if (what !== "hidden") this.#strategy.wake({ anew: what === "resumed" });
  }

  // The token

  async #unauthorised() {
    this.#strategy.stop();
    this.#lost(null);
    const soon = this.#world.now() - this.#renewedAt < AGAIN_MS;
    const isRenewed = !soon && (await this.#renew());
    if (this.#isStopped) return undefined;
    return isRenewed ? this.#strategy.start() : this.#retryLater();
  }

  #retryLater() {
    const ms = backoff(this.#world, (this.#renewals += 1));
    this.#state.waiting(this.#world.now() + ms, null);
    this.#timers.after(ms, () => this.#isStopped || this.#strategy.start());
  }

  #renewAhead() {
    if (this.#world.now() - this.#renewedAt > AHEAD_MS) this.#renew();
  }

  /** Whether the session goes on; when it cannot, the faces are told. */
  #renew() {
    this.#renewing ??= this.#renewNow().finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  async #renewNow() {
    try {
      await (this.#options.token || this.#options.asks ? this.#askForToken() : renewCookies(this.#world));
      this.#renewedAt = this.#world.now();
      return true;
    } catch (error) {
      if (error instanceof Unauthorised) this.#over();
      return false;
    }
  }

  #over(reason = "unauthorised") {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#strategy.stop();
    this.#sender.stop(new Unauthorised());
    this.#outbox?.stop();
    this.#state.over();
    this.#say({ is: "over", reason });
  }

  /** A face that gave a token is asked for a newer one. */
  #askForToken() {
    return new Promise((resolve, reject) => {
      this.#tokenCame = (token) => {
        if (!token || token === this.#options.token) return reject(new Unauthorised());
        this.#options.token = token;
        this.#tokenCame = () => {};
        this.#strategy.active?.send(JSON.stringify({ type: "auth", data: { token } }));
        return resolve();
      };
      this.#timers.after(AGAIN_MS, () => reject(new Error("no token came")));
      this.#say({ is: "renew" });
    });
  }

  #tokenCame = () => {};

  #openOutbox() {
    const submit = (message) => this.command("send_message", message);
    const world = this.#world;
    const { user } = this.#options;
    const brought = new Uploads({ world, ctx: { user, token: this.#ctx.token, isSerial: () => this.#strategy.isSerial, inTurn: (work) => this.#asides.do(work), sent: (ended) => this.#strategy.sent(ended), starved: () => this.#strategy.starved() } });
    const uploads = { bring: (...what) => this.#renewed(() => brought.bring(...what)), drop: (file) => brought.drop(file) };
    const onChange = (entries) => this.#say({ is: "outbox", entries });
    this.#outbox = new Outbox({ world, vault: new Vault({ base: world.base }), submit, uploads, user, onChange });
    this.#outbox.open();
  }
}
