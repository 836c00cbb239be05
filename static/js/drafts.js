/** What was typed and not sent, kept in this browser for each person and chat. */

const WAIT_MS = 300;
const NAME = "quartchat-draft";

export class Draft {
  #key;
  #timer = 0;
  #waiting = null;

  constructor(me, chatId) {
    this.#key = `${NAME} ${me} ${chatId}`;
    addEventListener("pagehide", () => this.#write());
  }

  get text() {
    try {
      return localStorage.getItem(this.#key) ?? "";
    } catch {
      return ""; // storage can be forbidden
    }
  }

  /** Kept a moment later, so that typing does not wait for it; nothing is kept of nothing. */
  keep(text) {
    clearTimeout(this.#timer);
    this.#waiting = text;
    this.#timer = setTimeout(() => this.#write(), text ? WAIT_MS : 0);
  }

  #write() {
    const text = this.#waiting;
    this.#waiting = null;
    try {
      if (text) localStorage.setItem(this.#key, text);
      else if (text === "") localStorage.removeItem(this.#key);
    } catch {
      // forbidden, or full: the text is still in its field
    }
  }
}

/** Nothing of this person's is left in the browser: they log out. */
export function forgetDrafts(me) {
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(`${NAME} ${me} `));
    for (const name of names) localStorage.removeItem(name);
  } catch {
    // forbidden: then nothing was kept either
  }
}
