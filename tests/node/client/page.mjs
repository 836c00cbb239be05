/** What stands in for a page: it hears the messages of the client, and sends commands until they are answered for good. */

const AGAIN_MS = 1000;
const ANSWER_MS = 50; // its own server is asked

export class Page {
  #scene;
  #engine = null;
  #n = 0;
  #memory = null;
  status = { state: "connecting", transport: null };
  signals = [];
  /** client_id -> { at, answeredAt, tries, value | error } */
  sent = new Map();
  /** When it tried to send something. */
  tries = [];
  over = false;
  /** A newer token; null: there is none any more. */
  giveToken = () => null;
  resetUpto = 0;

  constructor(scene) {
    this.#scene = scene;
  }

  get memory() {
    return this.#memory;
  }

  /** Opens a connection, as after a reload: with the cursor and with what is remembered. */
  open() {
    const { world, options, makeEngine, judge } = this.#scene;
    const engine = makeEngine({ world, options, memory: this.#memory, out: (message) => engine === this.#engine && this.#take(message) });
    this.#engine = engine;
    engine.start(judge.place);
    engine.take({ is: "join", cursor: judge.place, memory: this.#memory }, (message) => this.#take(message));
  }

  close() {
    this.#engine?.stop();
    this.#engine = null;
  }

  tell(message) {
    this.#engine?.take(message, (answer) => this.#take(answer));
  }

  /** A message of another face. */
  ask(message, reply) {
    this.#engine.take(message, reply);
  }

  /** Sends a message; again with the same id where nobody knows what became of it, as an outbox does. */
  send(content, clientId) {
    const { clock } = this.#scene;
    const entry = this.sent.get(clientId) ?? { at: clock.elapsed, tries: 0, content, answeredAt: null };
    this.sent.set(clientId, entry);
    if (!this.#engine) return;
    const n = (this.#n += 1);
    const data = { chat_id: "c1", content, client_id: clientId };
    let isAnswered = false;
    entry.tries += 1;
    this.tries.push(clock.elapsed);
    entry.open = true;
    this.#engine.take({ is: "command", n, type: "send_message", data }, (answer) => {
      if (answer.is !== "answer" || answer.n !== n) return this.#take(answer);
      if (isAnswered) this.#scene.judge.fault(`command ${n} was answered twice`);
      isAnswered = true;
      return this.#answered(entry, answer, () => this.send(content, clientId));
    });
  }

  /** Leaves a message to the client's outbox, which is to send it whenever it can. `files`: as an entry has them. */
  add(content, clientId, files) {
    const { clock } = this.#scene;
    const user = this.#scene.options.user;
    this.sent.set(clientId, { at: clock.elapsed, content, isLeft: true, answeredAt: null });
    this.tell({ is: "outbox", what: "add", entry: { client_id: clientId, chat_id: "c1", content, at: clock.now(), user, state: "waiting", tries: 0, ...(files && { files }) } });
  }

  /** What the outbox says of each message: it is sent, or never will be. */
  #outbox(entries) {
    for (const { client_id, state, code, reason } of entries) {
      const entry = this.sent.get(client_id);
      if (!entry || entry.answeredAt !== null || (state !== "sent" && state !== "failed")) continue;
      const outcome = state === "sent" ? { value: { client_id } } : { error: { code, message: reason } };
      Object.assign(entry, { answeredAt: this.#scene.clock.elapsed, ...outcome });
    }
  }

  /** The event of a message that was left to the outbox: it is sent, whether or not an answer comes. */
  #arrived(events) {
    for (const { data } of events) {
      const entry = this.sent.get(data.client_id);
      if (entry?.isLeft && entry.answeredAt === null) Object.assign(entry, { answeredAt: this.#scene.clock.elapsed, value: { client_id: data.client_id } });
    }
  }

  #answered(entry, { ok, value, error }, again) {
    const { clock } = this.#scene;
    entry.open = false;
    if (!ok && !["Refused", "Unsent", "Unauthorised"].includes(error.name)) this.#scene.judge.fault(`an answer of no known kind: ${error.name}`);
    const final = ok || (error.name === "Refused" && !error.retryable);
    if (!final) return clock.after(AGAIN_MS * 2 ** Math.min(3, entry.tries), again);
    return Object.assign(entry, { answeredAt: clock.elapsed, value, error });
  }

  #take(message) {
    const { judge } = this.#scene;
    const acts = {
      events: () => (judge.events(message), this.#arrived(message.events)),
      signal: () => this.signals.push(message.event),
      status: () => ((this.status = message.status), judge.status(message.status)),
      remember: () => (this.#memory = message.memory),
      reset: () => this.#reset(message.head),
      over: () => ((this.over = true), this.close()),
      outbox: () => this.#outbox(message.entries),
      joined: () => {},
      pong: () => {},
      renew: () => this.#scene.clock.after(ANSWER_MS, () => this.tell({ is: "token", token: this.giveToken() })),
    };
    if (!acts[message.is]) judge.fault(`a message that nobody knows: ${message.is}`);
    acts[message.is]?.();
  }

  /** The page loads a snapshot; the connection goes on behind it. */
  #reset(head) {
    this.resetUpto = Math.max(this.resetUpto, head);
    this.#scene.judge.reset(head);
  }
}
