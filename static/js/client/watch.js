/** Whether who has the connection is alive: asked often, but only by tabs that somebody looks at. */

const EVERY_MS = 400;
const PATIENCE_MS = 1000;
const LATE_MS = 1000;

export class Watch {
  #world;
  #env;
  #ping;
  #onSilence;
  #timer = null;
  #asked = null;
  #ticked = 0;
  #on = false;

  constructor({ world, env, ping, onSilence }) {
    this.#world = world;
    this.#env = env;
    this.#ping = ping;
    this.#onSilence = onSilence;
    env.onVisible(() => this.#on && this.start());
  }

  start() {
    this.stop();
    this.#on = true;
    if (this.#env.visible()) this.#tick();
  }

  stop() {
    this.#on = false;
    this.#asked = null;
    this.#ticked = this.#world.now();
    this.#world.clearTimeout(this.#timer);
  }

  heard() {
    this.#asked = null;
  }

  #tick() {
    const now = this.#world.now();
    // Timers of one's own that came late: the answers may wait behind them.
    if (Math.abs(now - this.#ticked) > LATE_MS) this.#asked = null;
    this.#ticked = now;
    if (this.#asked !== null && now - this.#asked > PATIENCE_MS) {
      this.#asked = null;
      this.#onSilence();
      if (!this.#on) return;
    }
    this.#asked ??= now;
    this.#ping();
    this.#timer = this.#world.setTimeout(() => this.#env.visible() && this.#tick(), EVERY_MS);
  }
}
