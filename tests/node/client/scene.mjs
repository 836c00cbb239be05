/** A client, a network, a server, and somebody who looks on; all of it had again from a seed. */

import { Engine } from "../../../static/js/client/engine.js";
import { Clock } from "./clock.mjs";
import { Judge } from "./judge.mjs";
import { Network } from "./network.mjs";
import { Page } from "./page.mjs";
import { Chance } from "./random.mjs";
import { Server } from "./server.mjs";

const LOOK_MS = 500;
const WAKE_MS = 55000; // a silence that it may take for an ordinary one
const THROTTLED_MS = 180000;

export class Scene {
  #before = 0;
  #slackMs = 0;
  #unsaid = [];
  #began;

  /**
   * `phases`: see network.mjs; the last one goes on for ever. `acts`: [{ at, do, … }] what happens
   * and when: see `#act`. `options`: the engine's. `makeEngine`: another client, to be tried.
   * `with(page, server)`: what else is to be so before it begins.
   */
  constructor({ seed = 1, phases, acts = [], options = {}, makeEngine = (needs) => new Engine(needs), noWebSocket = false, cursor, with: prepare = () => {} }) {
    const chance = new Chance(seed);
    this.clock = new Clock();
    this.server = new Server(this.clock, seed);
    this.net = new Network({ clock: this.clock, server: this.server, chance });
    this.phases = phases;
    this.acts = acts;
    this.options = { heartbeat: 25, html: false, ...options };
    this.makeEngine = makeEngine;
    this.world = this.#world(new Chance(seed + 7919), noWebSocket);
    this.judge = new Judge({ clock: this.clock, net: this.net, log: this.server.log, cursor: cursor ?? this.server.log.head });
    this.page = new Page(this);
    prepare(this.page, this.server);
    this.#began = this.judge.place;
    this.published = [];
    this.net.onAsk = () => this.judge.asks(this.page.status.transport);
  }

  #world(chance, noWebSocket) {
    const { clock, net } = this;
    return {
      now: clock.now,
      setTimeout: clock.setTimeout,
      clearTimeout: clock.clearTimeout,
      random: chance.next,
      fetch: net.fetch,
      WebSocket: noWebSocket ? undefined : net.WebSocket,
      online: () => net.isOnline,
      network: () => net.name,
      uuid: chance.uuid,
      base: "http://chat.example/",
    };
  }

  /** Where the client began. */
  get began() {
    return this.#began;
  }

  /** Up to there the client was told to load a snapshot. */
  get resetUpto() {
    return this.page.resetUpto;
  }

  /** Sets the play going: the phases, the acts, the client. */
  start() {
    const { clock } = this;
    let at = 0;
    for (const phase of this.phases) {
      if (at === 0) this.#enter(phase);
      else clock.after(at, () => this.#enter(phase));
      at += phase.forMs ?? 0;
    }
    for (const act of this.acts) clock.after(act.at, () => this.#act(act));
    // What knows that a way is slow waits longer.
    const delayMs = 8 * Math.max(0, ...this.phases.flatMap(({ rules = [] }) => rules.map(({ rule, ms }) => (rule === "delays" ? ms : 0))));
    const look = () => (clock.isAsleep || this.judge.look(this.page.status, this.#slackMs + delayMs), clock.after(LOOK_MS, look));
    look();
    this.page.open();
  }

  async advance(ms) {
    await this.until(() => false, ms);
  }

  /** Goes on until it is so, at most `ms`; whether it is. */
  async until(isSo, ms) {
    const done = await this.clock.until(isSo, ms);
    for (const error of this.clock.errors.splice(0)) this.judge.fault(`thrown out of a timer: ${error.stack}`);
    return done;
  }

  /** The machine sleeps; `kills`: no connection outlives that. */
  async sleep(ms, kills) {
    if (kills) for (const conn of [...this.net.conns]) conn.vanish();
    await this.clock.sleep(ms);
    this.judge.forgive(WAKE_MS);
    this.net.wake();
    this.#unsaid.splice(0).forEach((message) => this.page.tell(message));
  }

  /** The client has all that it can see, and an answer to each command. */
  get isEven() {
    const last = this.server.log.visible.at(-1)?.id ?? 0;
    return this.judge.place >= last && [...this.page.sent.values()].every(({ answeredAt }) => answeredAt !== null);
  }

  publish(content, isVisible) {
    const event = this.server.publish(content, isVisible);
    this.published.push({ at: this.clock.elapsed, id: event.id, isVisible: isVisible !== false });
    return event;
  }

  stop() {
    this.page.close();
  }

  #enter(phase) {
    const wasOnline = this.net.isOnline;
    this.net.enter(phase);
    this.#before += 1;
    if ((phase.notices && this.#before > 1) || !wasOnline) this.#notice(wasOnline);
  }

  /** Timers that run once a minute find out everything up to three minutes later. */
  #throttle(isOn) {
    this.clock.throttle(isOn);
    this.#slackMs = isOn ? THROTTLED_MS : 0;
  }

  #notice(wasOnline) {
    if (this.net.isOnline && wasOnline) this.#tell({ is: "life", what: "offline" });
    this.#tell({ is: "life", what: this.net.isOnline ? "online" : "offline" });
  }

  #tell(message) {
    if (this.clock.isAsleep) this.#unsaid.push(message);
    else this.page.tell(message);
  }

  #act({ do: what, ...more }) {
    const { server, page } = this;
    const acts = {
      publish: () => Array.from({ length: more.many ?? 1 }, () => this.publish(more.content, more.isVisible)),
      add: () => page.add(more.content ?? "from me", more.clientId),
      send: () => page.send(more.content ?? "from me", more.clientId),
      signal: () => server.signal({ type: "user_typing", data: { chat_id: "c1", user_id: "you" } }),
      restart: () => server.restart(more.awayMs ?? 500),
      trim: () => server.log.trim(more.upto ?? server.log.head),
      restore: () => (server.restart(1000), server.log.restore(server.log.events[0]?.event.id ?? 0)),
      expire: () => (server.session.expiresAt = this.clock.elapsed + (more.inMs ?? 0)),
      logout: () => server.logout(),
      throttle: () => this.#throttle(more.on),
      step: () => this.clock.step(more.ms),
      life: () => page.tell({ is: "life", what: more.what }),
      wake: () => page.tell({ is: "wake", anew: more.anew ?? false }),
      reload: () => (page.close(), page.open()),
    };
    acts[what]();
  }
}
