/** Chance that can be had again: the same seed, the same numbers. */

export class Chance {
  #state;

  constructor(seed) {
    this.#state = (seed * 2654435761) >>> 0;
  }

  /** 0 ≤ x < 1 */
  next = () => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };

  between(least, most) {
    return Math.floor(least + this.next() * (most - least + 1));
  }

  /** Small values as likely as large ones: 10 to 100 as often as 100 to 1000. */
  scale(least, most) {
    return Math.round(least * (most / least) ** this.next());
  }

  one(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  some(list, many) {
    const rest = [...list];
    return Array.from({ length: Math.min(many, list.length) }, () => rest.splice(Math.floor(this.next() * rest.length), 1)[0]);
  }

  yes(share) {
    return this.next() < share;
  }

  uuid = () => {
    const hex = Array.from({ length: 32 }, () => this.between(0, 15).toString(16)).join("");
    return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
  };
}
