/** How much is new: at the bell, in the title and as the dot on the page's icon. */

import { refresh } from "./views.js";

const SOON_MS = 200;

export class Bell {
  #unread = Number(document.getElementById("bell")?.dataset.unread ?? 0);
  #messages = 0;
  #title = document.title.replace(/^\(\d+\) /, "");
  #timer = 0;

  /** How many notifications are unread. */
  get unread() {
    return this.#unread;
  }

  /** Something was added: the server knows how many there are now. */
  changed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), SOON_MS);
  }

  set(unread) {
    if (unread !== this.#unread) this.changed();
  }

  /** How many messages are unread, in the chats that this page shows. */
  messages(unread) {
    this.#messages = unread;
    this.#show();
  }

  async #ask() {
    const here = document.getElementById("bell")?.getAttribute("aria-current");
    if (!(await refresh(["#bell"], "/notifications/bell"))) return;
    const fresh = document.getElementById("bell");
    if (here) fresh.setAttribute("aria-current", here);
    this.#unread = Number(fresh.dataset.unread);
    this.#show();
  }

  #show() {
    const count = Math.max(this.#unread, this.#messages);
    const title = count ? `(${count}) ${this.#title}` : this.#title;
    if (document.title !== title) document.title = title;
    const icon = document.getElementById("favicon");
    const wanted = count ? icon.dataset.dot : icon.dataset.plain;
    if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
  }
}
