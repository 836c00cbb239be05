/**
 * Takes each durable event once, in order, whichever lane brought it. Every lane brings what came
 * after the cursor that it began with, without a hole; so what is newer than the cursor may be taken
 * from any of them.
 */

const MOST = 500;

export class Intake {
  #onEvents;
  #waiting = null;
  #recent = [];
  #recentAfter = null;
  cursor = null;

  /** `onEvents(after, events)`: those that came at once; `after`: the cursor before the first. */
  constructor({ onEvents }) {
    this.#onEvents = onEvents;
  }

  /** Goes on from this cursor; null: from the head, where that is. */
  begin(cursor) {
    this.flush();
    this.cursor = this.#recentAfter = cursor;
    this.#recent = [];
  }

  /** Whether this event is new. */
  take(event) {
    if (this.cursor !== null && event.id <= this.cursor) return false;
    this.#waiting ??= this.#begun();
    this.#waiting.events.push(event);
    this.cursor = event.id;
    this.#recent.push(event);
    if (this.#recent.length > MOST) this.#recentAfter = this.#recent.shift().id;
    return true;
  }

  /** Hands out what was taken in. */
  flush() {
    const { after, events } = this.#waiting ?? {};
    this.#waiting = null;
    if (events) this.#onEvents(after, events);
  }

  /** The events after this cursor, where they are still here; else null. */
  since(cursor) {
    if (this.#recentAfter === null || cursor < this.#recentAfter) return null;
    return this.#recent.filter((event) => event.id > cursor);
  }

  #begun() {
    queueMicrotask(() => this.flush());
    return { after: this.cursor, events: [] };
  }
}
