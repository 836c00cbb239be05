/**
 * A scripted network between one client and the server: a sequence of phases. A phase is a plain object:
 *
 *   { forMs, latency, jitter, bps,        ms there, ms more at most, bytes a second (0: no limit)
 *     rules: [{ rule, … }],               what stands in between, see rules.mjs
 *     hole: "hang" | "fail",              nothing gets through: is never answered, or fails at once
 *     holds: true,                        what was under way arrives behind the hole
 *     change: "keep" | "cut" | "silent",  what becomes of the connections that stand when it begins
 *     name: "wifi", notices: true }       the network's name; whether the browser tells of the change
 */

import { Conn } from "./conn.mjs";
import { fakeFetch } from "./fake_fetch.mjs";
import { fakeWebSocket } from "./fake_websocket.mjs";
import { makeRule } from "./rules.mjs";

export class Network {
  #phase = { rules: [], latency: 5, jitter: 0, bps: 0 };
  #free = { up: 0, down: 0 };
  #waiting = [];
  conns = new Set();
  rules = [];
  /** All that the client has asked for: { at, kind, url }. */
  asked = [];
  /** HTTP requests of the client that are not at their end. */
  inFlight = new Set();
  sockets = new Set();
  /** Called at each new request. */
  onAsk = () => {};
  /** When something last arrived at the client. */
  heardAt = -Infinity;

  constructor({ clock, server, chance }) {
    this.clock = clock;
    this.server = server;
    this.chance = chance;
    this.fetch = fakeFetch(this);
    this.WebSocket = fakeWebSocket(this);
  }

  get hole() {
    return this.#phase.hole ?? null;
  }

  get name() {
    return this.#phase.name ?? "any";
  }

  get isOnline() {
    return !(this.#phase.hole && this.#phase.notices);
  }

  /** The network is another one from now on. */
  enter(phase) {
    this.#phase = phase;
    this.rules = (phase.rules ?? []).map((rule) => makeRule(rule, this));
    for (const conn of [...this.conns]) {
      if (phase.change === "silent") conn.vanish();
      else if (phase.change === "cut" || phase.hole === "fail") conn.cut();
    }
    if (!phase.hole) this.#waiting.splice(0).forEach((work) => work());
  }

  /** The machine is awake again. */
  wake() {
    this.#waiting.splice(0).forEach((work) => work());
  }

  connect(kind, request, toClient) {
    this.asked.push({ at: this.clock.elapsed, kind, url: request.url });
    this.onAsk(kind);
    return new Conn(this, kind, request, (item) => {
      this.heardAt = this.clock.elapsed;
      toClient(item);
    });
  }

  /** How long a piece of so many bytes is on its way. */
  tripMs(way, size) {
    const { latency = 5, jitter = 0, bps = 0 } = this.#phase;
    const { elapsed } = this.clock;
    if (!bps) return latency + jitter * this.chance.next();
    this.#free[way] = Math.max(this.#free[way], elapsed) + (1000 * size) / bps;
    return this.#free[way] - elapsed + latency + jitter * this.chance.next();
  }

  /** Something is to arrive: unless it falls into a hole, or finds the machine asleep. */
  land(conn, work, otherwise = () => {}) {
    if (this.clock.isAsleep || (this.hole && this.#phase.holds)) this.#waiting.push(() => conn.isLost || work());
    else if (this.hole) (conn.vanish(), otherwise());
    else work();
  }
}
