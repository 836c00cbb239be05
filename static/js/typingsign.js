/** The sign that one is typing: told at most every few seconds, and when one stops. */

const EVERY_MS = 3000;
const STOPS_MS = 5000;

export class TypingSign {
  #client;
  #chatId;
  #sent = 0;
  #timer = 0;

  constructor(client, chatId) {
    this.#client = client;
    this.#chatId = chatId;
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
    // A sign of typing that is lost is not worth a word, and later it is not true any more.
    if (this.#client.status.state === "live") this.#client.send("typing", { chat_id: this.#chatId, is_typing: typing }).catch(() => {});
  }
}
