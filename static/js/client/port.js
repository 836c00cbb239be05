/** What a page has of the connection, whoever holds it now: messages out, messages in. */

const MOST = 1000;
const WAITING = new Set(["outbox", "token"]); // a face repeats its commands itself when it joins

export class Port {
  #listeners = new Set();
  #link = null;
  #queue = [];

  /** What must not be lost waits while nobody is there. */
  send(message) {
    if (this.#link) this.#link.send(message);
    else if (WAITING.has(message.is) && this.#queue.length < MOST) this.#queue.push(message);
  }

  /** `listener(message)`; returns what takes it back. */
  onMessage(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From now on all goes to this link: `first`, and what waits. */
  attach(link, first) {
    this.#link = link;
    link.send(first);
    for (const message of this.#queue.splice(0)) link.send(message);
  }

  detach() {
    this.#link = null;
  }

  deliver(message) {
    for (const listener of this.#listeners) listener(message);
  }

  close() {
    this.detach();
    this.#listeners.clear();
    this.#queue.length = 0;
  }
}
