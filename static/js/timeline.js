/** The messages of the open chat: the server's own fragments put in place as they come. */

import { t, tn } from "./text.js";
import { clock, element, exact } from "./views.js";

const GROUP_MS = 300000;
const END_PX = 48;
const ALONE_MS = 400;

const language = document.documentElement.lang || undefined;
const longDate = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** The messages of one chat. `onSeen()` is called when the reader comes to the newest one. */
export class Timeline {
  #scroller;
  #list;
  #line;
  #button = element("button", { id: "to-end", className: "to-end", type: "button", hidden: true });
  #at = new WeakMap();
  #onSeen;
  #missed = 0;
  #added = 0;
  atEnd = true;

  /** `unreadLine`: what is put before the first unread message, if there is such a thing. */
  constructor({ scroller, list, unreadLine, onSeen }) {
    this.#scroller = scroller;
    this.#list = list;
    this.#line = unreadLine;
    this.#onSeen = onSeen;
    scroller.after(this.#button);
    this.#dressAll([...list.children]);
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#button.addEventListener("click", () => this.toEnd());
  }

  get list() {
    return this.#list;
  }

  /** The id of the newest event that stands here. */
  get newest() {
    for (let item = this.#list.lastElementChild; item; item = item.previousElementSibling) {
      if (item.dataset.eventId) return Number(item.dataset.eventId);
    }
    return 0;
  }

  /** The message with this id, if it is on the page. */
  message(id) {
    return this.#list.querySelector(`:scope > #m${CSS.escape(id)}`);
  }

  /** The newest message of this person that still stands. */
  newestBy(key) {
    const theirs = this.#list.querySelectorAll(`:scope > .msg[data-by="${key}"]`);
    return [...theirs].reverse().find((item) => !item.querySelector(".bubble > .gone")) ?? null;
  }

  /** Appends a fragment, unless it is there already; `counts` if the reader may have missed it. */
  add(html, { counts = true, unread = false } = {}) {
    const item = made(html);
    if (!item || document.getElementById(item.id)) return null;
    this.steady(() => {
      this.#list.append(item);
      if (unread) this.#drawLine(item);
      this.#dressAll([item]);
    });
    this.#greet(item);
    if (counts && !this.atEnd) this.#miss(this.#missed + 1);
    return item;
  }

  /** More of the history: items of another rendering, in their order, above or below. */
  join(items, above) {
    const fresh = items.filter((item) => item.matches(".day") || !document.getElementById(item.id));
    this.steady(() => {
      if (above) this.#list.prepend(...fresh);
      else this.#list.append(...fresh);
      this.#dressAll(fresh);
      if (above) this.#linkAfter(fresh.at(-1));
    }, true);
  }

  /** A message as it is now, in the place of what it was. */
  replace(html) {
    const fresh = made(html);
    const stale = fresh && this.message(fresh.id.slice(1));
    if (!stale) return;
    const focused = stale.contains(document.activeElement) ? document.activeElement.className : "";
    this.steady(() => {
      stale.replaceWith(fresh);
      this.#dressAll([fresh]);
      this.#linkAfter(fresh);
    });
    if (focused) fresh.getElementsByClassName(focused)[0]?.focus({ preventScroll: true });
  }

  /** What a deleted message says from now on; also where it is quoted. */
  erase(id, html) {
    const item = this.message(id);
    const bubble = made(html);
    if (item && bubble) {
      const focused = item.contains(document.activeElement);
      item.querySelectorAll(".acts, .reactions").forEach((part) => part.remove());
      item.querySelector(".bubble").replaceWith(bubble);
      if (focused) this.#scroller.focus({ preventScroll: true });
    }
    const quotes = this.#list.querySelectorAll(`.quote a[href$="#m${CSS.escape(id)}"] .said`);
    for (const said of quotes) {
      said.textContent = bubble.textContent.trim();
      said.classList.add("gone");
    }
  }

  /** The row of reactions below a message; null: there are none any more. */
  react(id, html) {
    const item = this.message(id);
    const bubble = item?.querySelector(".bubble");
    if (!bubble) return;
    const stale = item.querySelector(".reactions");
    const focused = stale?.contains(document.activeElement) ? document.activeElement.dataset.emoji : null;
    this.steady(() => {
      stale?.remove();
      if (html) bubble.insertAdjacentHTML("afterend", html);
    });
    if (focused === null) return;
    const same = item.querySelector(`.reaction[data-emoji="${CSS.escape(focused)}"]`);
    (same ?? item.querySelector(".acts .react"))?.focus({ preventScroll: true });
  }

  /** Shows that a message is pinned, or is no more: `mark` is what says so. */
  pin(id, mark) {
    const bubble = this.message(id)?.querySelector(".bubble");
    if (!bubble) return;
    let marks = bubble.querySelector(".marks");
    marks?.querySelector(".pinned")?.remove();
    if (mark && !marks) bubble.append((marks = element("p", { className: "marks" })));
    if (mark) marks.append(mark);
    else if (!marks?.children.length) marks?.remove();
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

  /** Where reading goes on: the first unread message near the top, if it is further up. */
  showUnread() {
    const line = this.#list.querySelector(":scope > .unread-line");
    const above = line && line.getBoundingClientRect().top < this.#scroller.getBoundingClientRect().top;
    if (above) line.scrollIntoView({ block: "start" });
    return Boolean(above);
  }

  removeUnreadLine() {
    const line = this.#list.querySelector(":scope > .unread-line");
    const next = line?.nextElementSibling;
    line?.remove();
    if (this.#at.has(next)) this.#link(next);
  }

  /** Changes the list so that what the reader looks at stays where it is; at the end, the end. */
  steady(work, always = false) {
    if (this.atEnd && !always) return work();
    const top = this.#scroller.getBoundingClientRect().top;
    const kept = this.#list.querySelectorAll(":scope > [data-event-id]");
    const anchor = [...kept].find((item) => item.getBoundingClientRect().bottom > top);
    const before = anchor?.getBoundingClientRect().top;
    work();
    if (anchor?.isConnected) this.#scroller.scrollTop += anchor.getBoundingClientRect().top - before;
    return undefined;
  }

  #scrolled() {
    // Negative, as the column is reversed: nothing has to be measured to stay at the end.
    const away = Math.abs(this.#scroller.scrollTop);
    this.atEnd = away < END_PX;
    if (this.atEnd) {
      this.#miss(0);
      this.#onSeen();
    } else if (!this.#missed) this.#offer(away > this.#scroller.clientHeight);
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
    this.#button.textContent = tn("{n} new message ↓", "{n} new messages ↓", count);
  }

  #offer(far) {
    this.#button.hidden = !far;
    this.#button.textContent = t("To the newest ↓");
  }

  #drawLine(item) {
    if (!this.#line) return;
    this.removeUnreadLine();
    item.before(this.#line.cloneNode(true));
  }

  #dressAll(items) {
    for (const item of items) this.#dress(item);
    for (const item of items) if (this.#at.has(item)) this.#link(item);
  }

  /** Times as the reader's clock has them. */
  #dress(item) {
    for (const edited of item.querySelectorAll(".edited")) edited.title = exact.format(new Date(edited.dateTime));
    const time = item.matches(".day") ? null : item.querySelector("time:not(.edited)");
    const at = time && new Date(time.dateTime);
    if (!at || Number.isNaN(at.valueOf())) return;
    time.textContent = clock.format(at);
    time.title = exact.format(at);
    this.#at.set(item, at);
  }

  /** The day where it changes, and messages of one person drawn together. */
  #link(item) {
    const at = this.#at.get(item);
    let last = item.previousElementSibling;
    let parted = false;
    while (last && !this.#at.has(last)) {
      const before = last.previousElementSibling;
      if (last.matches(".day")) last.remove();
      parted ||= last.matches(".unread-line");
      last = before;
    }
    const day = longDate.format(at);
    const isNew = !last || longDate.format(this.#at.get(last)) !== day;
    if (isNew) {
      const line = element("li", { className: "day" }, element("span", { textContent: day }));
      if (last) last.after(line);
      else this.#list.prepend(line);
    }
    const both = item.matches(".msg") && last?.matches(".msg") && item.dataset.by === last.dataset.by;
    const follows = Boolean(both && !isNew && !parted && at - this.#at.get(last) < GROUP_MS);
    item.classList.toggle("follows", follows);
    last?.classList.toggle("followed", follows);
  }

  #linkAfter(item) {
    let next = item?.nextElementSibling;
    while (next && !this.#at.has(next)) next = next.nextElementSibling;
    if (next) this.#link(next);
  }
}

function made(html) {
  const box = document.createElement("template");
  box.innerHTML = html;
  return box.content.firstElementChild;
}
