/**
 * Ways whose connections do not last. Some end each after a few kilobytes: after connections that were cut
 * with nothing gained, less is asked for at a time. On some they die unseen, and a browser uses the dead ones
 * again: then each answer is to end its connection.
 */

const CUTS = 2;
const OVERTAKEN = 2;
const KEPT_MS = 900000;

export class Frail {
  #memory;
  #cuts = 0;
  #cursor = null;
  #overtaken = 0;

  constructor(memory) {
    this.#memory = memory;
  }

  /** What is asked for in addresses because of it. */
  get query() {
    const [limit, fresh] = [this.#memory.get("limit"), this.#memory.get("fresh")];
    return { limit, close: limit || fresh ? 1 : null };
  }

  /** A connection ended where the cursor is now. */
  ended({ kind, inBody }, cursor) {
    if (kind !== "cut" || !inBody) return;
    this.#cuts = cursor === this.#cursor ? this.#cuts + 1 : 1;
    this.#cursor = cursor;
    if (this.#cuts >= CUTS && !this.#memory.get("limit")) this.#memory.set("limit", 1, KEPT_MS);
  }

  /** A request was answered before an older one; once may be chance. */
  overtaken() {
    this.#overtaken += 1;
    if (this.#overtaken >= OVERTAKEN && !this.#memory.get("fresh")) this.#memory.set("fresh", true, KEPT_MS);
  }
}
