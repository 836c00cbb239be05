/** What came, said once for those who listen: one sentence, however many messages. */

import { t, tn } from "./text.js";
import { excerpt } from "./views.js";

const QUIET_MS = 1200;

export class Announcer {
  #line;
  #names = [];
  #text = "";
  #timer = 0;

  /** `line`: a live region that nobody sees. */
  constructor(line) {
    this.#line = line;
  }

  /** A message came from somebody else. */
  message(name, text) {
    this.#names.push(name);
    this.#text = text;
    this.#timer ||= setTimeout(() => this.#tell(), QUIET_MS);
  }

  /** A message was deleted: nothing of it is to be left. */
  forget() {
    this.#text = "";
    this.say("");
  }

  say(text) {
    this.#line.textContent = text;
  }

  #tell() {
    const n = this.#names.length;
    const [name, ...others] = new Set(this.#names);
    this.#names = [];
    this.#timer = 0;
    if (n === 1) this.say(t("{name}: {text}", { name, text: excerpt(this.#text) }));
    else if (!others.length) this.say(tn("{n} new message from {name}", "{n} new messages from {name}", n, { name }));
    else this.say(tn("{n} new message", "{n} new messages", n));
  }
}
