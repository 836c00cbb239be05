/** One engine and all faces that use it: in a worker, in the page that leads, or in a page alone. */

const LINGER_MS = 3000; // from one page to the next the connection stays
const LOOK_MS = 20000;
const GONE_MS = 50000;

export class Hub {
  #world;
  #makeEngine;
  #tellAll;
  #engine = null;
  #faces = new Map();
  #linger = null;
  #look = null;

  /** `makeEngine(out, join)`: not started yet. `tellAll(message)`: to every face, where one call can do that. */
  constructor({ world, makeEngine, tellAll }) {
    this.#world = world;
    this.#makeEngine = makeEngine;
    this.#tellAll = tellAll ?? ((message) => this.#faces.forEach(({ reply }) => reply(message)));
  }

  /** A message of the face `id`; `reply(message)` goes to it alone. */
  take(id, message, reply) {
    if (message.is === "leave") return this.#leave(id);
    if (message.is === "join") this.#join(id, message, reply);
    const face = this.#faces.get(id);
    // It was away for too long, or joined somebody who is no more.
    if (!face) return reply({ is: "rejoin" });
    face.heard = this.#world.now();
    face.isSpared = false;
    if (message.is === "here" || (message.is === "life" && this.#stillSeen(face, message.what))) return undefined;
    if (this.#engine) return this.#engine.take(message, reply);
    const error = { name: "Unauthorised", message: "The session is over." };
    return message.is === "command" ? reply({ is: "answer", n: message.n, ok: false, error }) : undefined;
  }

  close() {
    this.#world.clearTimeout(this.#linger);
    this.#world.clearTimeout(this.#look);
    this.#look = null;
    this.#faces.clear();
    this.#stop();
  }

  #join(id, message, reply) {
    this.#world.clearTimeout(this.#linger);
    this.#faces.set(id, { reply, heard: this.#world.now(), visible: message.visible !== false });
    if (this.#look === null) this.#watch();
    if (this.#engine) return;
    const engine = this.#makeEngine((said) => engine === this.#engine && this.#out(said), message);
    this.#engine = engine;
    engine.start(message.cursor);
  }

  #leave(id) {
    this.#faces.delete(id);
    this.#world.clearTimeout(this.#linger);
    if (!this.#faces.size) this.#linger = this.#world.setTimeout(() => this.close(), LINGER_MS);
  }

  #out(message) {
    this.#tellAll(message);
    // Who joins later has logged in again.
    if (message.is === "over") this.#stop();
  }

  #stop() {
    this.#engine?.stop();
    this.#engine = null;
  }

  /** One face is hidden, but somebody still looks at another. */
  #stillSeen(face, what) {
    if (what === "visible" || what === "hidden") face.visible = what === "visible";
    return what === "hidden" && [...this.#faces.values()].some(({ visible }) => visible);
  }

  #watch() {
    const due = this.#world.now() + LOOK_MS;
    this.#look = this.#world.setTimeout(() => this.#lookRound(due), LOOK_MS);
  }

  /** A face that crashed takes no leave. After sleep nobody could have been heard. */
  #lookRound(due) {
    const now = this.#world.now();
    const slept = now - due > LOOK_MS;
    for (const [id, face] of this.#faces) {
      if (slept && !face.isSpared) Object.assign(face, { heard: now, isSpared: true });
      if (now - face.heard > GONE_MS) this.#leave(id);
      else face.reply({ is: "there" });
    }
    this.#look = null;
    if (this.#faces.size) this.#watch();
  }
}
