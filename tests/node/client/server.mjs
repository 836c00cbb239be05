/**
 * A model of the server in memory: /t/w, /t/s, /t/e, /t/p and the renewal of the session, as
 * docs/protocol.md has them. It knows nothing of the network: what it says goes to `reply`,
 * at once and in order.
 */

import { Commands } from "./commands.mjs";
import { Files } from "./files.mjs";
import { Log } from "./log.mjs";
import { Chance } from "./random.mjs";
import { Subscriber } from "./subscriber.mjs";

const TOKEN_MS = 900000;
const HEADERS = { "cache-control": "no-store, no-transform", "x-accel-buffering": "no", "content-encoding": "identity" };
const JSON_TYPE = "application/json";

export class Server {
  #commands;
  #chance;
  #files = new Files();
  subscribers = new Set();
  polls = new Set();
  userId = "me";
  session;
  /** token -> { expiresAt, lifeMs }; null where cookies tell who is asking. */
  tokens = null;
  /** ms until which it does not answer at all (it restarts). */
  downUntil = -1;

  constructor(clock, seed = 1) {
    this.clock = clock;
    this.#chance = new Chance(seed);
    this.log = new Log(clock, seed);
    this.#commands = new Commands(this.log, clock, this.#chance);
    this.session = { expiresAt: TOKEN_MS, isOver: false, lifeMs: TOKEN_MS };
  }

  get seen() {
    return this.#commands.seen;
  }

  get isDown() {
    return this.clock.elapsed < this.downUntil;
  }

  /** Somebody writes. */
  publish(content = "hello", isVisible = true) {
    const message = { chat_id: "c1", message_id: this.#chance.uuid(), sender_id: "you", content };
    return this.log.append("new_message", message, isVisible);
  }

  signal(event) {
    for (const subscriber of [...this.subscribers]) subscriber.signal(event);
  }

  /** Says goodbye to all and is away for a while. */
  restart(awayMs) {
    this.downUntil = this.clock.elapsed + awayMs;
    for (const subscriber of [...this.subscribers]) subscriber.goodbye(this.#chance.between(100, 2000));
    for (const poll of [...this.polls]) poll.goodbye(this.#chance.between(100, 2000));
  }

  /** A new token; from now on only who shows one is let in. */
  issue(lifeMs = this.session.lifeMs) {
    this.tokens ??= new Map();
    const token = `token-${this.tokens.size + 1}`;
    this.tokens.set(token, { expiresAt: this.clock.elapsed + lifeMs });
    return token;
  }

  #sessionOf({ authorization = "" }) {
    return this.tokens ? (this.tokens.get(authorization.replace("Bearer ", "")) ?? { expiresAt: -1 }) : this.session;
  }

  /** Ends the session: nothing renews it any more. */
  logout() {
    this.session.isOver = true;
    this.session.expiresAt = this.clock.elapsed;
  }

  /**
   * `request`: { method, path, query, headers, body }. `reply`: head(status, headers), data(text), end().
   * Returns { gone() }: nobody listens any more.
   */
  http(request, reply) {
    const route = `${request.method} ${request.path}`;
    if (route === "POST /api/token/renew") return this.#renew(reply);
    if (this.clock.elapsed >= this.#sessionOf(request.headers).expiresAt) return problem(reply, 401, "token_expired", "The token has expired.");
    if (route === "GET /t/s") return this.#stream(request, reply, "application/octet-stream", (event) => `${JSON.stringify(event)}\n`);
    if (route === "GET /t/e") return this.#stream(request, reply, "text/event-stream", (event) => `${event.id ? `id: ${event.id}\n` : ""}data: ${JSON.stringify(event)}\n\n`);
    if (route === "GET /t/p") return this.#poll(reply, { ...wishOf(request), session: this.#sessionOf(request.headers) }, [], Number(request.query.timeout ?? 25));
    if (route === "POST /t/p") return this.#serial(request, reply);
    const [status, body] = this.#files.answer(request) ?? [404, { code: "not_found", detail: "There is nothing at this address." }];
    return answer(reply, status, status < 400 ? JSON_TYPE : "application/problem+json", JSON.stringify(body));
  }

  /** `peer`: frame(text), close(code). Returns { receive(text), gone() }. */
  socket({ query }, peer) {
    let subscriber = null;
    const batch = query.batch === "1";
    const say = (events) => (batch ? peer.frame(JSON.stringify(events)) : events.forEach((event) => peer.frame(JSON.stringify(event))));
    const end = (why) => peer.close(why === "expired" ? 4401 : 1001);
    const open = (session) => (subscriber = new Subscriber(this, { ...wishOf({ query, headers: {} }), session }, say, end));
    if (!this.tokens) open(this.session);
    const receive = (text) => {
      const frame = JSON.parse(text);
      if (frame.type === "auth" && this.tokens) return this.#shown(frame.data.token, subscriber, open, peer);
      if (!subscriber || subscriber.isOver) return;
      if (frame.type === "ping") peer.frame(JSON.stringify({ type: "pong", data: frame.data }));
      else if (frame.type === "auth") peer.frame(JSON.stringify({ type: "ack", data: { expires_in: 900 } }));
      else this.#answer(frame, peer);
    };
    return { receive, gone: () => subscriber?.close() };
  }

  #shown(token, subscriber, open, peer) {
    const session = this.#sessionOf({ authorization: token });
    if (this.clock.elapsed >= session.expiresAt) return peer.close(4401);
    if (!subscriber) return void open({ ...session });
    subscriber.session.expiresAt = session.expiresAt;
    return peer.frame(JSON.stringify({ type: "ack", data: { expires_in: 900 } }));
  }

  #answer(frame, peer) {
    const answer = this.#commands.run(frame);
    // The event of a message may come before its ack, or behind it.
    if (answer) this.clock.after(this.#chance.between(0, 2), () => peer.frame(JSON.stringify(answer)));
  }

  #stream(request, reply, type, line) {
    reply.head(200, { ...HEADERS, "content-type": type });
    if (request.query.pad === "1") reply.data(`${" ".repeat(2047)}\n`);
    const say = (events) => reply.data(events.map(line).join(""));
    const subscriber = new Subscriber(this, { ...wishOf(request), session: this.#sessionOf(request.headers) }, say, () => reply.end());
    return { gone: () => subscriber.close() };
  }

  #serial(request, reply) {
    const fields = fieldsOf(request);
    if (!fields) return problem(reply, 400, "bad_request", "The body is no JSON.");
    const answers = (fields.commands ?? []).map((command) => this.#commands.run(command)).filter(Boolean);
    const wish = wishOf({ query: { ...request.query, last_event_id: fields.last_event_id }, headers: request.headers });
    return this.#poll(reply, { ...wish, session: this.#sessionOf(request.headers) }, answers, answers.length ? 0 : Number(fields.timeout ?? 25));
  }

  #poll(reply, wish, answers, timeout) {
    const said = [];
    let cancel = () => {};
    let isOver = false;
    const finish = (events, cursor) => {
      isOver = true;
      cancel();
      this.polls.delete(poll);
      // A subscriber may still be at its first page.
      queueMicrotask(() => poll.subscriber?.close());
      reply.head(200, { ...HEADERS, "content-type": JSON_TYPE });
      reply.data(JSON.stringify({ events: [...answers, ...events], last_event_id: cursor }));
      reply.end();
    };
    const poll = { subscriber: null, goodbye: (ms) => isOver || finish([{ type: "goodbye", data: { retry_ms: ms } }], wish.cursor ?? this.log.head) };
    const say = (events) => {
      if (isOver) return;
      const greeting = events.every(({ type }) => type === "hello" || type === "caught_up");
      said.push(...(wish.cursor === null ? events : events.filter(({ type }) => !["hello", "caught_up", "token_expiring", "error"].includes(type))));
      const done = events.some(({ type }) => type === "caught_up") && (wish.cursor === null || timeout === 0);
      if ((said.length && !greeting) || done) finish(said, events.filter(({ id }) => id).at(-1)?.id ?? poll.subscriber?.cursor ?? wish.cursor ?? this.log.head);
    };
    this.polls.add(poll);
    poll.subscriber = new Subscriber(this, { ...wish, session: wish.session ?? this.session, hb: 3600, ramp: false, chain: false }, say, () => isOver || finish([], wish.cursor));
    if (isOver) poll.subscriber.close();
    else cancel = this.clock.after(timeout * 1000, () => finish(said, poll.subscriber.cursor));
    return { gone: () => ((isOver = true), cancel(), this.polls.delete(poll), poll.subscriber.close()) };
  }

  #renew(reply) {
    if (this.session.isOver) return problem(reply, 401, "unauthenticated", "Log in again.");
    this.session.expiresAt = this.clock.elapsed + this.session.lifeMs;
    return answer(reply, 204, JSON_TYPE, "");
  }
}

function wishOf({ query, headers }) {
  const given = [query.last_event_id, query.c, headers["last-event-id"]].filter((value) => value !== undefined && value !== null && value !== "").map(Number);
  const hb = Math.min(60, Math.max(1, Number(query.hb ?? 15)));
  return { cursor: given.length ? Math.max(...given) : null, hb, ramp: query.ramp === "1", chain: query.chain === "1" };
}

/** The body's fields: JSON, text/plain that holds JSON, or a form; null where it is none of them. */
function fieldsOf({ headers, body = "" }) {
  try {
    if (!(headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded")) return JSON.parse(body || "{}");
    const form = Object.fromEntries(new URLSearchParams(body));
    return { ...form, commands: JSON.parse(form.commands || "[]") };
  } catch {
    return null;
  }
}

function problem(reply, status, code, detail) {
  return answer(reply, status, "application/problem+json", JSON.stringify({ type: "about:blank", status, code, detail }));
}

export function answer(reply, status, type, text) {
  reply.head(status, { ...HEADERS, "content-type": type });
  reply.data(text);
  reply.end();
  return { gone() {} };
}
