/**
 * How long the server may hold a poll: at first not at all, then ever longer, as far as this
 * path is known to let it; and whether an answer is overdue.
 */

const FIRST_S = 2;
const MOST_S = 25;
const SERIAL_S = 1;
const SPARE_MS = 20000;

export class Holds {
  #memory;
  #timers;
  #patience;
  #seconds = FIRST_S;

  /** `patience()`: ms after which an answer is late. `onLate(lane)`, `onLost(lane)`: it is; it will not come. */
  constructor({ memory, timers, patience, onLate, onLost }) {
    this.#memory = memory;
    this.#timers = timers;
    this.#patience = patience;
    this.onLate = onLate;
    this.onLost = onLost;
  }

  /** Seconds for the next request of this lane; `isBusy`: another one follows it. */
  next(lane, isBusy) {
    const most = Math.min(MOST_S, this.#memory.get("hold") ?? MOST_S);
    const seconds = !lane.proved || isBusy ? 0 : lane.kind === "serial" ? Math.min(SERIAL_S, most) : Math.min(this.#seconds, most);
    this.#expect(lane, seconds * 1000);
    return seconds;
  }

  /** A poll was held for so long, and answered. */
  answered(seconds) {
    if (seconds >= this.#seconds) this.#seconds = Math.min(MOST_S, 2 * seconds);
  }

  /** Polls may be cut here again: begin with short ones. */
  reset() {
    this.#seconds = FIRST_S;
  }

  #expect(lane, heldMs) {
    lane.round += 1;
    const { round } = lane;
    const waits = () => !lane.ended && lane.round === round;
    if (!lane.proved) return; // the strategy looks after attempts
    this.#timers.after(heldMs + this.#patience(), () => waits() && this.onLate(lane));
    this.#timers.after(heldMs + Math.max(SPARE_MS, 2 * this.#patience()), () => waits() && this.onLost(lane));
  }
}
