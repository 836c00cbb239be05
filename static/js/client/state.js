/** What people are told of the connection. A change of transport that takes less than a moment is none of it. */

const UNNOTICED_MS = 1000;

export class State {
  #world;
  #timers;
  #onChange;
  #lostAt = null;
  #came = 0;
  #status = { state: "connecting", transport: null, since: null, nextTryAt: null, missed: 0, reason: null };
  #last = "";

  constructor({ world, timers, onChange }) {
    this.#world = world;
    this.#timers = timers;
    this.#onChange = onChange;
  }

  /**
   * `state`: "connecting", "live", "waiting", "offline", "captive" (another page answered in the
   * server's place) or "over". `transport`: the name of the active one, or null. `since`: ms when the
   * connection was lost, null while it stands and at first. `nextTryAt`: ms. `missed`: how many
   * messages came with the return from the last loss. `reason`: the kind of end of the last attempt.
   */
  get status() {
    return { ...this.#status };
  }

  /** Whether it is said that there is no network; what comes in knows better. */
  get isOffline() {
    return this.#status.state === "offline";
  }

  live(transport) {
    const missed = this.#status.since ? this.#came : this.#status.missed;
    this.#lostAt = null;
    this.#show({ state: "live", transport, since: null, nextTryAt: null, missed, reason: null });
  }

  /** The way is lost; whether that is worth a word shows in a moment. */
  lost(ended) {
    if (this.#lostAt !== null) return;
    this.#lostAt = this.#world.now();
    this.#came = 0;
    const at = this.#lostAt;
    this.#timers.after(UNNOTICED_MS, () => this.#lostAt === at && this.#down({ reason: ended?.kind ?? null }));
  }

  /** Nothing is tried until then. */
  waiting(at, ended) {
    this.lost(ended);
    this.#nextTryAt = at;
    if (this.#status.state !== "live") this.#down({ reason: ended?.kind ?? null });
  }

  #nextTryAt = null;

  busy() {
    this.#nextTryAt = null;
    if (this.#status.since) this.#down({});
  }

  /** A message came. */
  came() {
    if (this.#lostAt !== null) this.#came += 1;
  }

  /** The environment says that the network went or came. */
  look() {
    if (this.#world.online()) return;
    if (this.#lostAt === null) (this.#lostAt = this.#world.now()), (this.#came = 0);
    this.#down({});
  }

  over() {
    this.#lostAt = null;
    this.#show({ state: "over", transport: null, nextTryAt: null });
  }

  #down({ reason = this.#status.reason }) {
    const foreign = reason === "foreign";
    const state = !this.#world.online() ? "offline" : foreign ? "captive" : this.#nextTryAt ? "waiting" : "connecting";
    this.#show({ state, transport: null, since: this.#lostAt, nextTryAt: this.#nextTryAt, missed: 0, reason });
  }

  #show(change) {
    this.#status = { ...this.#status, ...change };
    const now = JSON.stringify(this.#status);
    if (now === this.#last) return;
    this.#last = now;
    this.#onChange(this.status);
  }
}
