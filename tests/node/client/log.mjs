/** The server's log in memory: ids that grow with gaps, events that this user may not see, retention, backups. */

import { Chance } from "./random.mjs";

const PAGE = 500;

export class Log {
  #clock;
  #chance;
  #kept = 0; // what is not greater has been deleted
  #waiting = new Set();
  events = [];
  /** All that the user could ever see, also what retention has deleted; not what a restored backup lacks. */
  visible = [];
  /** Ids of what a restored backup lacks: some of it may be on its way still. */
  undone = new Set();
  head;

  constructor(clock, seed) {
    this.#clock = clock;
    this.#chance = new Chance(seed);
    this.head = this.#micros();
  }

  /** Appends an event, which the user can see or not, and wakes who listens. */
  append(type, data, isVisible = true) {
    const event = { id: Math.max(this.head + this.#chance.between(1, 3), this.#micros()), type, data };
    this.head = event.id;
    this.events.push({ event, isVisible });
    if (isVisible) this.visible.push(event);
    for (const wake of [...this.#waiting]) wake();
    return event;
  }

  /** The first event that the user could see behind this id. */
  next(id) {
    return this.visible[first(this.visible, (event) => event.id > id)];
  }

  /** Why a cursor cannot be served, or null. */
  lost(cursor) {
    if (cursor > this.head) return "unknown";
    return cursor !== 0 && cursor < this.#kept ? "expired" : null;
  }

  /** `{ events, reached, isWhole }`: a page of what comes after this id. */
  page(position) {
    const from = first(this.events, ({ event }) => event.id > position);
    const part = this.events.slice(from, from + PAGE);
    const events = part.filter(({ isVisible }) => isVisible).map(({ event }) => event);
    return { events, reached: part.at(-1)?.event.id ?? position, isWhole: from + part.length === this.events.length };
  }

  /** Where who wants all that is kept begins. */
  get start() {
    return this.#kept;
  }

  /** Calls `wake` at each event; returns what ends that. */
  listen(wake) {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  /** Retention deletes all up to this id. */
  trim(upto) {
    this.#kept = Math.max(this.#kept, upto);
    this.events = this.events.filter(({ event }) => event.id > upto);
  }

  /** A backup is restored: what is newer than this id has never been. */
  restore(id) {
    this.events = this.events.filter(({ event }) => event.id <= id);
    for (const event of this.visible.splice(first(this.visible, (one) => one.id > id))) this.undone.add(event.id);
    this.head = Math.min(this.head, id);
  }

  #micros() {
    return Math.floor((Date.UTC(2026, 0, 5) + this.#clock.elapsed) * 1000);
  }
}

/** The place of the first one for which it is so, in a list where it is so for all behind that. */
function first(list, isSo) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isSo(list[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}
