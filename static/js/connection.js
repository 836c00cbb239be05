/**
 * The core between the page and the log: it holds the cursor, takes each durable event
 * once, and keeps one working transport open. A transport counts as working only when
 * `caught_up` came through it.
 */

import { Unauthorised } from "./api.js";

const PROOF_MS = 4000;
const HEARTBEAT_S = 15;
const BACKOFF_MS = 500;
const BACKOFF_MOST_MS = 30000;
const REMEMBER_MS = 300000;
const RENEW_AGAIN_MS = 60000;

export class Connection {
  #options;
  #cursor;
  #session = null;
  #wake = () => {};
  #stopped = false;
  #retryMs = null;
  #renewedAt = 0;
  #settled = { index: 0, until: 0 };
  #shown = { state: "connecting", transport: null, since: null, nextTryAt: null, missed: 0 };

  /**
   * `cursor`: id of the last event that the page shows. `transports`: best first.
   * `onEvent(event)`: every event once, in order; it must not wait.
   * `onState(status)`: see `status`; called when it changes.
   * `onReset()`: the log cannot go on from the cursor. `onLoggedOut()`: the session is over.
   * `renew(since)`: renews the session, or throws Unauthorised.
   */
  constructor(options) {
    this.#options = options;
    this.#cursor = options.cursor;
  }

  get cursor() {
    return this.#cursor;
  }

  /**
   * `state`: "connecting", "live", "waiting" or "offline". `transport`: the name of the one that
   * works, or null. `since`: ms when it was lost, null as long as it is there or is opened for
   * the first time. `nextTryAt`: ms, while it waits. `missed`: how many messages came with the
   * return from the last loss.
   */
  get status() {
    return { ...this.#shown };
  }

  start() {
    addEventListener("online", () => this.wake({ anew: true }));
    addEventListener("offline", () => this.#offline());
    addEventListener("pageshow", ({ persisted }) => persisted && this.wake({ anew: true }));
    addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.wake());
    this.#run();
  }

  stop() {
    this.#stopped = true;
    this.#session?.end("stopped");
    this.#wake();
  }

  /** Ends a pause at once; reopens a connection that is silent for too long, or in any case `anew`. */
  wake({ anew = false } = {}) {
    if (anew || this.#session?.silent) this.#session?.end("woken");
    this.#wake();
  }

  async #run() {
    const { transports } = this.#options;
    let rounds = 0;
    let index = 0;
    let renewed = false;
    while (!this.#stopped) {
      const { proved, error } = await this.#attempt(transports[index]);
      if (this.#stopped) return;
      if (proved) renewed = false;
      if (error instanceof Unauthorised) {
        const outcome = renewed ? "failed" : await this.#renew();
        if (outcome === "over") return;
        renewed = outcome === "renewed";
        index = this.#best();
        if (renewed) continue;
        rounds += 1;
        await this.#pause(backoff(rounds));
        continue;
      }
      if (proved) {
        rounds = 0;
        this.#settled = { index, until: Date.now() + REMEMBER_MS };
        index = this.#best();
      } else {
        index = (index + 1) % transports.length;
        if (index !== 0) continue;
        rounds += 1;
      }
      await this.#pause(this.#retryMs ?? backoff(rounds));
      this.#retryMs = null;
    }
  }

  /** A lesser way that worked where a better one had failed is taken first for a while. */
  #best() {
    return Date.now() < this.#settled.until ? this.#settled.index : 0;
  }

  async #attempt(transport) {
    this.#show({ state: "connecting", transport: null, nextTryAt: null });
    const session = new Session();
    this.#session = session;
    const onEvent = (event) => session.signal.aborted || this.#receive(event, session, transport);
    let error = null;
    try {
      await transport.open({ cursor: this.#cursor, onEvent, signal: session.signal });
    } catch (reason) {
      error = reason;
    }
    session.end("over");
    this.#session = null;
    if (session.proved) this.#lose();
    return { proved: session.proved, error };
  }

  #receive(event, session, transport) {
    if (typeof event?.type !== "string") return;
    const data = event.data ?? {};
    session.heard();
    if (data.last_event_id > this.#cursor) session.end("something on the way dropped an event");
    else if (event.type === "hello") session.beats(data.heartbeat);
    else if (event.type === "caught_up") this.#promote(session, transport);
    else if (event.type === "goodbye") this.#leave(session, data.retry_ms);
    else if (event.type === "reset") this.#reset(data);
    else if (event.type === "token_expiring") this.#renewAhead();
    else this.#deliver(event);
  }

  #promote(session, transport) {
    session.prove();
    this.#show({ state: "live", transport: transport.name, since: null });
  }

  #leave(session, retryMs) {
    this.#retryMs = retryMs ?? null;
    session.end("the server goes down");
  }

  #reset(data) {
    this.stop();
    this.#options.onReset(data);
  }

  /** The server lets the open streams of a renewed session go on; where it does not, it says 4401. */
  #renewAhead() {
    const soon = Date.now() - this.#renewedAt < RENEW_AGAIN_MS;
    if (!soon) this.#renew();
  }

  #deliver(event) {
    const durable = Number.isSafeInteger(event.id);
    if (durable && event.id <= this.#cursor) return;
    if (this.#shown.since && event.type === "new_message") this.#shown.missed += 1;
    try {
      this.#options.onEvent(event);
    } catch (error) {
      // One event that cannot be shown must not stop those behind it.
      console.error(error);
    }
    if (durable) this.#cursor = event.id;
  }

  async #renew() {
    try {
      await this.#options.renew(Date.now());
      this.#renewedAt = Date.now();
      return "renewed";
    } catch (error) {
      if (!(error instanceof Unauthorised)) return "failed";
      this.stop();
      this.#options.onLoggedOut();
      return "over";
    }
  }

  #pause(ms) {
    if (ms > 0) {
      const since = this.#shown.since ?? Date.now();
      const state = navigator.onLine ? "waiting" : "offline";
      this.#show({ state, transport: null, since, nextTryAt: Date.now() + ms });
    }
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => (clearTimeout(timer), resolve());
    });
  }

  #offline() {
    if (this.#shown.state === "live") this.#lose();
    this.#show({ state: "offline", transport: null, nextTryAt: null });
  }

  #lose() {
    if (!this.#shown.since) this.#shown = { ...this.#shown, since: Date.now(), missed: 0 };
  }

  #show(change) {
    this.#shown = { ...this.#shown, ...change };
    this.#options.onState(this.status);
  }
}

/** One opened transport: whether it has proved itself, and how long it may be silent. */
class Session {
  #abort = new AbortController();
  #heartbeat = HEARTBEAT_S;
  #last = Date.now();
  #timer;
  proved = false;

  constructor() {
    this.heard();
  }

  get signal() {
    return this.#abort.signal;
  }

  get silent() {
    return Date.now() - this.#last > this.#patience;
  }

  get #patience() {
    return this.proved ? (2 * this.#heartbeat + 1) * 1000 : PROOF_MS;
  }

  beats(seconds) {
    if (seconds > 0) this.#heartbeat = seconds;
  }

  prove() {
    this.proved = true;
    this.heard();
  }

  heard() {
    this.#last = Date.now();
    clearTimeout(this.#timer);
    if (!this.signal.aborted) this.#timer = setTimeout(() => this.end("silence"), this.#patience);
  }

  end(why) {
    clearTimeout(this.#timer);
    this.#abort.abort(new Error(why));
  }
}

/** Full jitter: anything from nothing to a bound that doubles. */
function backoff(rounds) {
  return Math.random() * Math.min(BACKOFF_MOST_MS, BACKOFF_MS * 2 ** rounds);
}
