/** Looks on, and writes down everything that a client does wrong. Times are ms of the clock since its start. */

const SILENCE_MS = 2 * 25000 + 1000;

/** How long "live" may be said on when nothing has come: the silence limit of a connection, or a poll's (hold + 20 s). */
const LIVE_MS = SILENCE_MS + 5000;
const MOST_IN_FLIGHT = 5;
const SETTLED_MS = 15000;
/** What is asked for once in a while beside transports. */
const BESIDE = new Set(["renew", "release", "probe"]);

export class Judge {
  #clock;
  #net;
  #log;
  #place;
  #saidWrong = false;
  #forgiven = -Infinity;
  /** Of each delivered event: when. */
  deliveredAt = new Map();
  faults = [];
  /** { at, state, transport, … } */
  statuses = [];
  mostInFlight = 0;

  constructor({ clock, net, log, cursor }) {
    this.#clock = clock;
    this.#net = net;
    this.#log = log;
    this.#place = cursor;
  }

  /** The id of the last event that was delivered. */
  get place() {
    return this.#place;
  }

  fault(text) {
    if (this.faults.length < 20) this.faults.push(`${(this.#clock.elapsed / 1000).toFixed(3)} s: ${text}`);
  }

  /** It could not hear anything until now; it may take so long to find that out. */
  forgive(ms) {
    this.#forgiven = this.#clock.elapsed + ms - LIVE_MS;
  }

  /** The client says that it begins anew at this id. */
  reset(head) {
    this.#place = head;
  }

  /** A message `events` of the client: it must go on where the last one ended. */
  events({ after, events }) {
    if (!events.length) this.fault("an empty list of events");
    if (after !== null && after > this.#place) this.fault(`events after ${after}, but the last was ${this.#place}`);
    for (const { id } of events) this.#one(id);
  }

  #one(id) {
    if (!this.deliveredAt.has(id) && this.#log.undone.has(id)) return this.#note(id);
    const expected = this.#log.next(this.#place)?.id;
    if (this.deliveredAt.has(id)) this.fault(`event ${id} was delivered again`);
    else if (id <= this.#place) this.fault(`event ${id} out of order, behind ${this.#place}`);
    else if (expected === undefined) this.fault(`event ${id} is not in the log`);
    else if (id !== expected) this.fault(`event ${expected} was skipped: ${id} came`);
    return this.#note(id);
  }

  #note(id) {
    this.deliveredAt.set(id, this.#clock.elapsed);
    this.#place = Math.max(this.#place, id);
  }

  status(status) {
    this.statuses.push({ at: this.#clock.elapsed, ...status });
    const states = ["connecting", "live", "waiting", "offline", "captive", "over"];
    if (!states.includes(status.state)) this.fault(`no such state: ${status.state}`);
    if ((status.transport !== null) !== (status.state === "live")) this.fault(`state ${status.state} with transport ${status.transport}`);
    if (status.state === "waiting" && !(status.nextTryAt > 0)) this.fault("waiting, but nobody knows for when");
    if (status.state === "live" && !(this.#clock.elapsed - this.#net.heardAt < LIVE_MS)) this.fault("live, but nothing has been heard");
  }

  /** The client asks for something. `transport`: the active one. */
  asks(transport) {
    const inFlight = [...this.#net.inFlight].filter(({ kind }) => !BESIDE.has(kind)).length;
    this.mostInFlight = Math.max(this.mostInFlight, inFlight);
    if (inFlight > MOST_IN_FLIGHT) this.fault(`${inFlight} requests at once: ${this.#kinds}`);
    if (transport === "serial" && this.#isSettledSerial() && [...this.#net.inFlight].filter(({ kind }) => kind === "serial").length > 1) this.fault(`requests side by side in serial mode: ${this.#kinds}`);
  }

  /** Nothing else was asked for lately: it does not just find out whether requests may go side by side. */
  #isSettledSerial() {
    const since = this.#clock.elapsed - SETTLED_MS;
    return this.#net.asked.findLast(({ at, kind }) => at < since || (kind !== "serial" && !BESIDE.has(kind)))?.at < since;
  }

  get #kinds() {
    return [...this.#net.inFlight].map(({ kind }) => kind).join(", ");
  }

  /** To be called often. `status`: what the client says now; `slackMs`: more where its timers may not run. */
  look({ state, transport }, slackMs = 0) {
    const quiet = this.#clock.elapsed - Math.max(this.#net.heardAt, this.#forgiven);
    const isWrong = state === "live" && quiet > LIVE_MS + slackMs;
    if (isWrong && !this.#saidWrong) this.fault(`says live by ${transport}, but nothing has come for ${Math.round(quiet / 1000)} s`);
    this.#saidWrong = isWrong;
  }

  /** The greatest number of requests within a minute, of all or of some. */
  mostInMinute(counts = () => true) {
    const times = this.#net.asked.filter(counts).map(({ at }) => at);
    let most = 0;
    for (let first = 0, last = 0; last < times.length; last += 1) {
      while (times[last] - times[first] >= 60000) first += 1;
      most = Math.max(most, last - first + 1);
    }
    return most;
  }
}
