/** The sign that one is typing: told at most every few seconds, and when one stops. */

import { call } from "./api.js";

const EVERY_MS = 3000;
const STOPS_MS = 5000;

export class TypingSign {
  #chat;
  #sent = 0;
  #timer = 0;

  constructor(chat) {
    this.#chat = chat;
  }

  typed(text) {
    if (!text) return this.stop();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop(), STOPS_MS);
    if (Date.now() - this.#sent < EVERY_MS) return undefined;
    this.#sent = Date.now();
    return this.#tell(true);
  }

  stop() {
    clearTimeout(this.#timer);
    if (!this.#sent) return;
    this.#sent = 0;
    this.#tell(false);
  }

  #tell(typing) {
    // A sign of typing that is lost is not worth a word.
    call("POST", `${this.#chat}/typing`, { is_typing: typing }).catch(() => {});
  }
}
