/** Requests beside those of the connection; where these go one by one, each waits for its turn between two of them. */

export class Asides {
  #isSerial;
  #waiting = [];

  /** `isSerial()`: whether they go one by one now. */
  constructor(isSerial) {
    this.#isSerial = isSerial;
  }

  /** What `work()` comes to. */
  do(work) {
    if (!this.#isSerial()) return work();
    return new Promise((resolve, reject) => this.#waiting.push(() => work().then(resolve, reject)));
  }

  /** One that waits; the next round is held up meanwhile. Whether there was one. */
  async next() {
    const work = this.#waiting.shift();
    await work?.();
    return Boolean(work);
  }

  /** Their turn does not come any more: there is another way, or none. */
  letGo() {
    for (const work of this.#waiting.splice(0)) work();
  }
}
