/** Completing `@name` while one types: a list of the chat's members above the field. */

import { call } from "./api.js";
import { t } from "./text.js";
import { element } from "./views.js";

const WAIT_MS = 120;
const MOST = 8;
const BEGUN = /(?:^|[\s([{"'«„“])@([^\s@/,]{0,60})$/u;
// What the field is for assistive technology as long as the list is open; else a plain text field.
const OPEN = { role: "combobox", "aria-expanded": "true", "aria-haspopup": "listbox", "aria-controls": "mentions" };

export class Mentions {
  #text;
  #chatId;
  #me;
  #list = element("ul", { id: "mentions", className: "mentions", role: "listbox", ariaLabel: t("People in this chat"), hidden: true });
  #known = new Map();
  #at = -1;
  #timer = 0;
  #asked = 0;

  constructor({ text, chatId, me }) {
    this.#text = text;
    this.#me = me;
    this.#chatId = chatId;
    text.parentElement.append(this.#list);
    text.setAttribute("aria-autocomplete", "list");
    text.addEventListener("input", () => this.#look());
    text.addEventListener("keydown", (event) => this.#key(event));
    text.addEventListener("blur", () => this.close());
    // Before the field loses the focus.
    this.#list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.#take(option);
    });
  }

  close() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    if (this.#list.hidden) return;
    this.#list.hidden = true;
    for (const name of [...Object.keys(OPEN), "aria-activedescendant"]) this.#text.removeAttribute(name);
  }

  #begun() {
    const { value, selectionStart: at, selectionEnd: end } = this.#text;
    return at === end ? BEGUN.exec(value.slice(0, at)) : null;
  }

  #look() {
    const begun = this.#begun();
    if (!begun) return this.close();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(begun[1]), WAIT_MS);
    return undefined;
  }

  async #ask(prefix) {
    const ticket = ++this.#asked;
    const people = await this.#find(prefix);
    if (ticket !== this.#asked || document.activeElement !== this.#text) return undefined;
    return people.length ? this.#show(people) : this.close();
  }

  async #find(prefix) {
    const key = prefix.toLowerCase();
    if (!this.#known.has(key)) {
      const query = new URLSearchParams({ q: prefix, chat_id: this.#chatId, limit: MOST });
      // Names are simply typed where they cannot be asked for.
      const found = await call("GET", `/api/users?${query}`).catch(() => null);
      if (!found) return [];
      this.#known.set(key, found.users.filter((person) => person.user_id !== this.#me));
    }
    return this.#known.get(key);
  }

  #show(people) {
    this.#list.replaceChildren(...people.map(({ name }, n) => element("li", { id: `mention-${n}`, role: "option", textContent: name, dir: "auto" })));
    this.#list.hidden = false;
    for (const [name, value] of Object.entries(OPEN)) this.#text.setAttribute(name, value);
    this.#mark(0);
  }

  #mark(at) {
    const options = [...this.#list.children];
    this.#at = (at + options.length) % options.length;
    options.forEach((option, n) => (option.ariaSelected = String(n === this.#at)));
    options[this.#at].scrollIntoView({ block: "nearest" });
    this.#text.setAttribute("aria-activedescendant", options[this.#at].id);
  }

  #key(event) {
    if (this.#list.hidden || event.isComposing) return;
    const { key } = event;
    if (key === "ArrowDown") this.#mark(this.#at + 1);
    else if (key === "ArrowUp") this.#mark(this.#at - 1);
    else if ((key === "Enter" || key === "Tab") && !event.shiftKey) this.#take(this.#list.children[this.#at]);
    else if (key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #take(option) {
    const begun = this.#begun();
    this.close();
    if (!begun) return;
    const end = this.#text.selectionStart;
    this.#text.setRangeText(`@${option.textContent} `, end - begun[1].length - 1, end, "end");
    this.#text.dispatchEvent(new Event("input", { bubbles: true }));
    this.close();
  }
}
