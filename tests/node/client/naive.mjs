/**
 * A client as one writes it in an evening, with faults that can be chosen. It is here so that the
 * simulator can be seen to find them.
 */

export class Naive {
  #world;
  #out;
  #faults;
  #cursor = null;
  #stopped = false;
  #live = null;

  /** `faults`: "trusts open", "skips holes", "repeats", "hurries", "says live", "asks for all at once". */
  constructor({ world, out }, faults) {
    this.#world = world;
    this.#out = out;
    this.#faults = new Set(faults);
  }

  start(cursor) {
    this.#cursor = cursor;
    if (this.#faults.has("asks for all at once")) for (let n = 0; n < 8; n += 1) this.#poll(20);
    if (this.#faults.has("says live")) this.#show("live", "websocket");
    if (this.#faults.has("trusts open") || this.#faults.has("skips holes")) this.#socket();
    else this.#polls();
  }

  take() {}

  stop() {
    this.#stopped = true;
  }

  #socket() {
    const socket = new this.#world.WebSocket(`${this.#world.base}t/w?batch=1&last_event_id=${this.#cursor}`.replace("http", "ws"));
    socket.onopen = () => this.#show("live", "websocket");
    socket.onmessage = ({ data }) => this.#take([JSON.parse(data)].flat());
    socket.onclose = () => this.#stopped || this.#world.setTimeout(() => this.#socket(), 1000);
  }

  async #polls() {
    while (!this.#stopped) {
      try {
        await this.#poll(5);
        this.#show("live", "poll");
      } catch {
        this.#live = null;
        if (!this.#faults.has("hurries")) await new Promise((resolve) => this.#world.setTimeout(resolve, 5000));
      }
    }
  }

  async #poll(timeout) {
    const answer = await this.#world.fetch(`${this.#world.base}t/p?timeout=${timeout}&last_event_id=${this.#cursor}&n=${this.#world.uuid()}`);
    this.#take((await answer.json()).events);
  }

  #take(events) {
    const fresh = events.filter(({ id }) => id && (id > this.#cursor || this.#faults.has("repeats")));
    if (!fresh.length) return;
    const after = this.#cursor;
    if (!this.#faults.has("repeats")) this.#cursor = fresh.at(-1).id;
    this.#out({ is: "events", after, events: fresh });
  }

  #show(state, transport) {
    if (this.#live === transport) return;
    this.#live = transport;
    this.#out({ is: "status", status: { state, transport, since: null, nextTryAt: null, missed: 0, reason: null } });
  }
}
