/** What the server says on one connection, whatever the transport: hello, what was missed, caught_up, live events, heartbeats. */

const WARN_MS = 60000;

export class Subscriber {
  #server;
  #wish;
  #say;
  #end;
  #position;
  #interval;
  #caughtUp = false;
  #off = [];
  #cancelBeat = () => {};
  isOver = false;
  cursor;
  session;

  /** `say(events)`: hands out a page. `end(why)`: "goodbye" or "expired", after the last page. */
  constructor(server, wish, say, end) {
    this.#server = server;
    this.#wish = wish;
    this.session = wish.session;
    this.#say = say;
    this.#end = end;
    this.#interval = wish.ramp ? Math.min(2, wish.hb) : wish.hb;
    this.#greet();
    server.subscribers.add(this);
    this.#off.push(server.log.listen(() => this.#pump()));
    this.#watchToken();
    this.#pump();
  }

  /** An ephemeral event. */
  signal(event) {
    if (!this.isOver && this.#caughtUp) this.#hand([event]);
  }

  goodbye(retryMs) {
    if (this.isOver) return;
    this.#say([{ type: "goodbye", data: { retry_ms: retryMs } }]);
    this.close();
    this.#end("goodbye");
  }

  close() {
    if (this.isOver) return;
    this.isOver = true;
    this.#cancelBeat();
    this.#server.subscribers.delete(this);
    this.#off.forEach((off) => off());
  }

  #greet() {
    const { log, userId } = this.#server;
    const { cursor } = this.#wish;
    const reason = cursor === null ? null : log.lost(cursor);
    this.cursor = cursor === null || reason ? log.head : Math.max(cursor, log.start);
    this.#position = this.cursor;
    const hello = { user_id: userId, head: log.head, cursor: this.cursor, resumed: cursor !== null && !reason, heartbeat: this.#interval, protocol: 1 };
    this.#hand([{ type: "hello", data: hello }, ...(reason ? [{ type: "reset", data: { reason, head: log.head } }] : [])]);
  }

  #pump() {
    while (!this.isOver) {
      const { events, reached, isWhole } = this.#server.log.page(this.#position);
      this.#position = reached;
      if (events.length) {
        const after = { type: "after", data: { last_event_id: this.cursor } };
        this.cursor = events.at(-1).id;
        this.#hand(this.#wish.chain ? [after, ...events] : events);
      } else if (isWhole) break;
    }
    if (this.#caughtUp || this.isOver) return;
    this.#caughtUp = true;
    this.#hand([{ type: "caught_up", data: { last_event_id: this.cursor } }]);
  }

  #hand(events) {
    this.#cancelBeat();
    this.#cancelBeat = this.#server.clock.after(this.#interval * 1000, () => this.#beat());
    this.#say(events);
  }

  #beat() {
    const data = { last_event_id: this.cursor };
    if (this.#wish.ramp) data.heartbeat = this.#interval = Math.min(2 * this.#interval, this.#wish.hb);
    this.#hand([{ type: "heartbeat", data }]);
  }

  #watchToken() {
    const { clock } = this.#server;
    const { session } = this;
    const left = session.expiresAt - clock.elapsed;
    if (left <= 0) return this.#expire();
    const warn = left > WARN_MS;
    if (!warn) this.#say([{ type: "token_expiring", data: { expires_in: Math.floor(left / 1000) } }]);
    this.#off[1] = clock.after(warn ? left - WARN_MS : left, () => this.#watchToken());
    return undefined;
  }

  #expire() {
    this.#say([{ type: "error", data: { code: "token_expired", message: "The token has expired.", retryable: false, status: 401 } }]);
    this.close();
    this.#end("expired");
  }
}
