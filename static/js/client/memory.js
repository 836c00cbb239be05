/**
 * What was learnt about the networks that this browser was in, each thing for a while: which
 * transports failed while a lesser one worked, how long a connection may be silent, how long a poll may
 * be held, whether padding is needed, what body a command may have, how many events may come at once, whether connections die unseen,
 * whether requests must come one by one.
 */

const HOUR_MS = 3600000;
const MOST_NETWORKS = 8;

export class Memory {
  #world;
  #onChange;
  #networks;

  /** `saved`: what `onChange(saved)` was once given, or anything else. */
  constructor(world, saved, onChange = () => {}) {
    this.#world = world;
    this.#onChange = onChange;
    this.#networks = readable(saved) ? structuredClone(saved) : {};
  }

  /** What is known of a thing in this network, if it has not lapsed: "hb", "hold", "pad", "body", "limit", "fresh", "serial" or a transport's name. */
  get(name) {
    const known = this.#networks[this.#world.network()]?.[name];
    return known && known.until > this.#world.now() ? known.value : undefined;
  }

  set(name, value, ms = HOUR_MS) {
    const network = this.#world.network();
    const others = Object.entries(this.#networks).filter(([key]) => key !== network).slice(1 - MOST_NETWORKS);
    const here = { ...this.#networks[network], [name]: { value, until: this.#world.now() + ms } };
    this.#networks = Object.fromEntries([...others, [network, here]]);
    this.#onChange(structuredClone(this.#networks));
  }

  /** Another network, perhaps under the same name: nothing that was learnt need hold. */
  forget() {
    delete this.#networks[this.#world.network()];
    this.#onChange(structuredClone(this.#networks));
  }
}

function readable(saved) {
  const isTable = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  return isTable(saved) && Object.values(saved).every((network) => isTable(network) && Object.values(network).every((known) => isTable(known) && Number.isFinite(known.until)));
}
