/**
 * Some ways end every connection after a few kilobytes: what is larger never comes through at once. After
 * connections that were cut with nothing gained, less is asked for at a time.
 */

const CUTS = 2;
const KEPT_MS = 900000;

export class Barren {
  #memory;
  #cuts = 0;
  #cursor = null;

  constructor(memory) {
    this.#memory = memory;
  }

  /** How many events may come at once: a number, or null for as many as there are. */
  get limit() {
    return this.#memory.get("limit") ?? null;
  }

  /** A connection ended where the cursor is now. */
  ended({ kind, inBody }, cursor) {
    if (kind !== "cut" || !inBody) return;
    this.#cuts = cursor === this.#cursor ? this.#cuts + 1 : 1;
    this.#cursor = cursor;
    if (this.#cuts >= CUTS && !this.limit) this.#memory.set("limit", 1, KEPT_MS);
  }
}
