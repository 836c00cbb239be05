/** Reactions with scripts: a press puts one's own on or takes it away. */

import { call } from "./api.js";

export class Reactions {
  #page;
  #key;
  #onError;

  /** `key`: stands for the reader in `data-who`. */
  constructor({ page, key, onError }) {
    this.#page = page;
    this.#key = key;
    this.#onError = onError;
    for (const sign of ["pointerover", "focusin"]) {
      page.addEventListener(sign, ({ target }) => this.#name(target.closest?.(".reaction")));
    }
    page.addEventListener("keydown", (event) => {
      if (event.key !== " " || !event.target.matches?.("a[role=button]")) return;
      event.preventDefault();
      event.target.click();
    });
  }

  /** Puts this emoji on a message, or takes it away where it is there already. */
  async toggle(item, emoji) {
    const chip = item.querySelector(`.reaction[data-emoji="${CSS.escape(emoji)}"]`);
    try {
      await call("POST", `/api/messages/${item.id.slice(1)}/reactions`, { emoji, is_on: !this.#mine(chip) });
    } catch (error) {
      this.#onError(error);
    }
  }

  /** The emoji that the reader has put on a message, as far as its row tells. */
  mine(item) {
    const chips = [...(item?.querySelectorAll(".reaction") ?? [])];
    return new Set(chips.filter((chip) => this.#mine(chip)).map((chip) => chip.dataset.emoji));
  }

  /** A new row, the same for all, names only the first: the reader's own are theirs all the same. */
  claim(item, emoji) {
    for (const chip of item?.querySelectorAll(".reaction") ?? []) {
      if (emoji.has(chip.dataset.emoji) && !this.#mine(chip)) chip.dataset.who += `${this.#key} `;
    }
  }

  #mine(chip) {
    return Boolean(chip) && chip.dataset.who.split(" ").includes(this.#key);
  }

  /** Whose they are, as far as this page knows their names. */
  #name(chip) {
    if (!chip || chip.hasAttribute("aria-pressed")) return;
    chip.setAttribute("role", "button");
    chip.setAttribute("aria-pressed", String(this.#mine(chip)));
    if (chip.title) return;
    const keys = chip.dataset.who.split(" ").filter(Boolean);
    const names = keys.map((key) => this.#nameOf(key)).filter(Boolean);
    const more = names.length < Number(chip.lastChild.textContent) ? " …" : "";
    if (names.length) chip.title = names.join(", ") + more;
  }

  #nameOf(key) {
    const person = this.#page.querySelector(`#members [data-key="${key}"] .name, .msg[data-by="${key}"] .who`);
    return person?.textContent;
  }
}
