/**
 * Whether requests may go side by side. Some proxies allow a client one at a time, and punish the
 * second; then a strictly serial client passes where any other is refused.
 */

const STATUSES = new Set([403, 429, 503]);
const REFUSALS = 4;
const COMMANDS = 2;
const IN_VAIN = 3; // one may be refused for the connections that were open before
const SERIAL_MS = 180000;
const FOUND_MS = 3000;
const TRIAL_MS = 180000; // longer than a proxy is known to bear a grudge
/** Those that only ask, by turns. */
const ASKING = ["poll", "stream", "sse"];
const MOST_MS = 300000;
const KEPT_MS = 6 * 3600000;

/** Whether somebody on the way refused, as those do that count connections. */
export const isRefusal = ({ kind, status }) => kind === "refused" && STATUSES.has(status);

export class Turns {
  #world;
  #memory;
  #may;
  #refusals = 0;
  #commands = 0;
  #got = false;
  #inVain = 0;
  #ms = SERIAL_MS;
  #isSure = false;
  #founds = 0;
  #until = null; // of what is not remembered
  isSerial;
  /** Whether the next one should only ask: those that carry something may be refused for what they are. */
  asksNext = false;
  /** How often one failed. */
  tried = 0;
  /** How often one was not answered, since one was. */
  unanswered = 0;

  /** `may`: whether the serial form is allowed at all. */
  constructor({ world, memory, may }) {
    this.#world = world;
    this.#memory = memory;
    this.#may = may;
    this.isSerial = may && Boolean(memory.get("serial")?.now);
  }

  /** Something was refused; whether requests must go one by one from now on. */
  refused(ended, { isCommand = false } = {}) {
    if (!isRefusal(ended)) return false;
    if (isCommand) this.#commands += 1;
    this.#refusals += 1;
    return (this.#refusals >= REFUSALS || this.#commands >= COMMANDS) && this.enter();
  }

  /** Whether one by one may be a way. */
  get #mayTry() {
    return this.#may && !this.#memory.get("serial")?.never;
  }

  /** Requests go one by one from now on, where that may help; whether they do. `ms`: less for what is only a guess. */
  enter(ms = SERIAL_MS) {
    if (this.isSerial || !this.#mayTry) return false;
    this.isSerial = true;
    this.#ms = ms;
    this.#note(TRIAL_MS);
    return true;
  }

  /** Whether the next attempt is to be one that carries something, after so many in vain of others. */
  isNext(rounds) {
    return this.#mayTry && (this.#founds ? rounds % 2 === 1 : rounds > 2 && rounds % 3 === 1);
  }

  /** One that carries something passed while nothing else did: perhaps only these pass, perhaps all do again. Whether they go one by one now. */
  found() {
    if (this.isSerial || !this.#mayTry) return false;
    this.isSerial = this.#isSure = true;
    this.#until = this.#world.now() + Math.min(MOST_MS, FOUND_MS * 3 ** this.#founds);
    this.#founds += 1;
    return true;
  }

  /** Side by side something passes. */
  passed({ isCommand = false } = {}) {
    this.#refusals = 0;
    if (isCommand) this.#commands = 0;
  }

  /** One by one it works: it was the others that were in the way, and would be again for a while. */
  proved() {
    this.#refusals = this.#commands = this.tried = this.unanswered = this.#inVain = 0;
    this.#got = false;
    if (!this.#isSure) this.#note(Math.min(MOST_MS, this.#ms * 3 ** this.#fails));
    this.#isSure = true;
  }

  /** The transport for the next request. */
  get kind() {
    return this.asksNext ? ASKING[((this.tried - 1) >> 1) % ASKING.length] : "serial";
  }

  /** A request of its own was answered while those that carry something were not. */
  got() {
    this.#got = true;
    this.asksNext = false;
  }

  /** Also one by one it fails; whether it was refused again and again what others get, and this is no way at all. */
  failed({ kind }) {
    if (this.#got && kind === "refused") this.#inVain += 1;
    this.#got = false;
    this.tried += 1;
    if (kind === "silent") this.unanswered += 1;
    this.asksNext = !this.asksNext;
    return this.#inVain >= IN_VAIN;
  }

  /** Another network, perhaps; whether they went one by one until now. */
  forget() {
    const was = this.isSerial;
    this.#founds = 0;
    if (was) this.leave();
    return was;
  }

  /** One that only asks passes. */
  refuted() {
    this.#founds = 0;
  }

  /** Requests pass beside a connection: one by one was not needed. */
  freed() {
    if (this.#fails && !this.#memory.get("serial").never) this.#memory.set("serial", { fails: 0, now: false }, 0);
  }

  /** Requests go side by side again; `never`: one by one is no way here. */
  leave({ never = false } = {}) {
    // What was forgotten is another network's, and what was only found is not remembered.
    const isKnown = this.#until === null && this.#memory.get("serial");
    // Where it did not work either, nothing worked.
    const fails = this.#fails + (never || this.#isSure ? 1 : 0);
    if (never || isKnown) this.#memory.set("serial", { fails, now: false, never }, never ? SERIAL_MS : KEPT_MS);
    this.#until = null;
    this.isSerial = this.#got = this.#isSure = this.asksNext = false;
    this.#refusals = this.#commands = this.tried = this.unanswered = this.#inVain = 0;
  }

  /** For how long they are to go one by one, in ms. */
  get leftMs() {
    return Math.max(0, Math.min(MOST_MS, (this.#until ?? this.#memory.get("serial")?.until ?? 0) - this.#world.now()));
  }

  get #fails() {
    return this.#memory.get("serial")?.fails ?? 0;
  }

  #note(ms) {
    this.#memory.set("serial", { fails: this.#fails, now: true, until: this.#world.now() + ms }, KEPT_MS);
  }
}
