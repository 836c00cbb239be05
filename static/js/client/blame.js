/**
 * What the end of a lane teaches: when its transport may be tried again, and what this network
 * does to connections. It is only believed once something is proved soon after, or was all the time: what
 * fails while nothing works says nothing about transports.
 */

const REFUSED_MS = 5000;
const SILENT_MS = 10000;
const FORBIDDEN_MS = 300000;
const MOST_MS = 300000;
const AGAIN_MS = 100;
const LIVED_MS = 3000;
const WELL_MS = 60000;
const SOON_MS = 5000;
const BESIDE_MS = 500; // what fails this close to a poll fails for the same cause
const KEPT_MS = 900000;
const LEAST_QUIET_MS = 1500;

export class Blame {
  #memory;
  #world;
  #suspected = [];
  #downAt = -Infinity;

  constructor(memory, world) {
    this.#memory = memory;
    this.#world = world;
  }

  /** How many ms are left until this transport may be tried. */
  wait(kind) {
    // The clock may have been put back since.
    return Math.max(0, Math.min(MOST_MS, (this.#memory.get(kind)?.retryAt ?? 0) - this.#world.now()));
  }

  /** A lane ended; `working`: whether another one is proved. Returns the ms until it may be tried again. */
  fault(lane, ended, working) {
    if (ended.kind === "stale") return 0;
    const lived = lane.proved ? this.#world.now() - lane.provedAt : 0;
    const inOrder = ended.kind === "closed" || ended.kind === "cut" || ended.kind === "goodbye";
    if (!working && lane.isRounds && !lane.proved) this.#downAt = this.#world.now();
    this.#suspect(() => this.#path(lane, ended), working);
    if (lived > LIVED_MS && inOrder) return AGAIN_MS;
    const ms = this.#pause(lane.kind, ended, lived);
    // An attempt that began beside what works now is judged by that.
    if (!lane.isRounds) this.#suspect(() => this.#hold(lane.kind, ms), working);
    return ms;
  }

  /** Something is proved: what failed a moment ago did so although there is a way. */
  proved(rtt = 0) {
    const oldest = this.#world.now() - Math.max(SOON_MS, 3 * rtt);
    const believed = this.#suspected.filter(({ at }) => at >= oldest && at > this.#downAt + BESIDE_MS);
    this.#suspected = [];
    believed.forEach(({ learn }) => learn());
  }

  #suspect(learn, working) {
    if (working) learn();
    else this.#suspected.push({ at: this.#world.now(), learn });
  }

  #pause(kind, ended, lived) {
    if (ended.kind === "forbidden") return FORBIDDEN_MS;
    const first = ended.kind === "silent" || ended.kind === "lossy" ? SILENT_MS : REFUSED_MS;
    const fails = lived > WELL_MS ? 0 : (this.#memory.get(kind)?.fails ?? 0);
    return Math.max(ended.retryMs ?? 0, Math.min(MOST_MS, first * 3 ** fails));
  }

  #hold(kind, ms) {
    const fails = (this.#memory.get(kind)?.fails ?? 0) + 1;
    this.#memory.set(kind, { fails, retryAt: this.#world.now() + ms }, ms + KEPT_MS);
  }

  /** For how long this path lets a connection be silent, or a poll be held. */
  #path(lane, ended) {
    const quiet = lane.endedQuietMs;
    if (!lane.proved || quiet < LEAST_QUIET_MS) return;
    if (lane.isRounds) {
      if (ended.kind === "cut" || ended.status >= 500) this.#less("hold", (0.6 * quiet) / 1000);
    } else if (ended.kind === "silent") this.#less("hb", (0.4 * lane.beatMs) / 1000);
    else if (ended.kind !== "lossy" && quiet > 1.2 * lane.longestQuietMs) this.#less("hb", (0.4 * quiet) / 1000);
  }

  #less(name, seconds) {
    const known = this.#memory.get(name) ?? Infinity;
    this.#memory.set(name, Math.max(1, Math.min(known, Math.round(seconds * 10) / 10)));
  }
}
