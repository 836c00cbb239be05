/** The messages of the open chat: the server's own fragments put in place as they come. */

import { clock, element, exact } from "./views.js";

const GROUP_MS = 300000;
const END_PX = 48;
const ALONE_MS = 400;

const longDate = new Intl.DateTimeFormat(undefined, {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
});

/** The messages of one chat. `onSeen()` is called when the reader comes to the newest one. */
export class Timeline {
  #scroller;
  #list;
  #button = element("button", { id: "to-end", className: "to-end", type: "button", hidden: true });
  #last = {};
  #onSeen;
  #missed = 0;
  #added = 0;
  atEnd = true;

  constructor({ scroller, list, onSeen }) {
    this.#scroller = scroller;
    this.#list = list;
    this.#onSeen = onSeen;
    scroller.after(this.#button);
    for (const item of list.children) this.#dress(item);
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#button.addEventListener("click", () => this.toEnd());
  }

  get newest() {
    return Number(this.#list.lastElementChild?.dataset.eventId ?? 0);
  }

  /** Appends a fragment, unless it is there already; `counts` if the reader may have missed it. */
  add(html, { counts = true } = {}) {
    this.#list.insertAdjacentHTML("beforeend", html);
    const item = this.#list.lastElementChild;
    if (document.getElementById(item.id) !== item) return item.remove();
    this.#dress(item);
    this.#greet(item);
    if (counts && !this.atEnd) this.#miss(this.#missed + 1);
  }

  toEnd() {
    this.#scroller.scrollTop = 0;
    this.#scrolled();
  }

  /** Brings a message into view and marks it for a moment; false if it is not on this page. */
  show(id) {
    const item = document.getElementById(id);
    if (!item) return false;
    item.scrollIntoView({ block: "center" });
    item.classList.add("focus");
    setTimeout(() => item.classList.remove("focus"), 2500);
    return true;
  }

  #scrolled() {
    // Negative, as the column is reversed: nothing has to be measured to stay at the end.
    this.atEnd = Math.abs(this.#scroller.scrollTop) < END_PX;
    if (!this.atEnd) return;
    this.#miss(0);
    this.#onSeen();
  }

  /** One message may slide in; a flood of them must not, it would take seconds to draw. */
  #greet(item) {
    const alone = performance.now() - this.#added > ALONE_MS;
    this.#added = performance.now();
    if (!alone) return;
    item.classList.add("arrived");
    item.addEventListener("animationend", () => item.classList.remove("arrived"), { once: true });
  }

  #miss(count) {
    this.#missed = count;
    this.#button.hidden = count === 0;
    this.#button.textContent = `${count} new ${count === 1 ? "message" : "messages"} ↓`;
  }

  /** Local time, the day where it changes, and messages of one person drawn together. */
  #dress(item) {
    const time = item.querySelector("time");
    const at = time && new Date(time.dateTime);
    if (!at || Number.isNaN(at.valueOf())) return;
    time.textContent = clock.format(at);
    time.title = exact.format(at);
    const day = longDate.format(at);
    const by = item.classList.contains("msg") ? item.dataset.by : null;
    if (day !== this.#last.day) item.dataset.day = day;
    else if (by && by === this.#last.by && at - this.#last.at < GROUP_MS) {
      item.classList.add("follows");
      this.#last.item.classList.add("followed");
    }
    this.#last = { day, by, at, item };
  }
}
