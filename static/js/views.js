/** What stands around the messages: the list of chats, who is typing, the state of the connection. */

export const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayMonth = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const shortDate = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
export const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** The list of chats: last lines, unread counts, order. */
export class ChatList {
  #me;
  #current;

  constructor({ me, current }) {
    this.#me = me;
    this.#current = current;
    this.#localise();
  }

  get unread() {
    const counts = [...document.querySelectorAll("#chat-list .badge")];
    return counts.reduce((sum, badge) => sum + (parseInt(badge.textContent, 10) || 0), 0);
  }

  /** Takes in a message; false if its chat is not in the list. */
  message(data, { unread }) {
    const row = this.#row(data.chat_id);
    if (!row) return false;
    const name = data.sender_id === this.#me ? "You" : data.sender?.name ?? data.sender_id;
    const [who, what] = [name, excerpt(data.content)].map((textContent) => element("bdi", { textContent }));
    row.querySelector(".last").replaceChildren(who, ": ", what);
    const time = element("time", { dateTime: data.timestamp });
    row.querySelector(".stamp").replaceChildren(time);
    localise(time);
    if (unread) this.#count(row, (parseInt(row.querySelector(".badge").textContent, 10) || 0) + 1);
    if (row.previousElementSibling) row.parentElement.prepend(row);
    return true;
  }

  read(chatId) {
    const row = this.#row(chatId);
    if (row) this.#count(row, 0);
  }

  /** The list as the server renders it now. */
  async reload() {
    if (!(await refresh(["#chat-list"], "/chats"))) return;
    this.#row(this.#current)?.querySelector("a").setAttribute("aria-current", "page");
    this.#localise();
  }

  #row(chatId) {
    return document.querySelector(`#chat-list > [data-chat-id="${CSS.escape(chatId ?? "")}"]`);
  }

  #count(row, count) {
    const badge = row.querySelector(".badge");
    badge.hidden = count === 0;
    badge.replaceChildren();
    if (count) badge.append(String(count), element("span", { className: "unseen", textContent: " unread" }));
    row.classList.toggle("unread", count > 0);
  }

  #localise() {
    document.querySelectorAll("#chat-list time").forEach(localise);
  }
}

/** Replaces an element by its newer self from another rendering of the page. */
export async function refresh(selectors, url) {
  const answer = await fetch(url, { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return selectors.map((selector) => replace(selector, page)).every(Boolean);
}

function replace(selector, page) {
  const fresh = page.querySelector(selector);
  const stale = document.querySelector(selector);
  if (!fresh || !stale) return false;
  if (stale.open) fresh.open = true;
  stale.replaceWith(fresh);
  return true;
}

const STATES = {
  connecting: () => "Connecting…",
  live: (transport) => `Live over ${transport}`,
  waiting: () => "Connection lost. Reconnecting…",
  offline: () => "You are offline. Messages come when the network is back.",
};

/** The line that says how the page is connected (a preview has none), and the reload link for
 *  when it is not. */
export function showState(line, link, { state, transport }) {
  if (!line) return;
  const text = STATES[state](transport);
  if (line.textContent !== text) line.textContent = text;
  line.dataset.state = state;
  if (link) link.hidden = state === "live";
}

/** "Ada is typing…", for as long as it is true. */
export class TypingLine {
  #line;
  #people = new Map();

  constructor(line) {
    this.#line = line;
  }

  set(userId, name, typing) {
    clearTimeout(this.#people.get(userId)?.timer);
    this.#people.delete(userId);
    if (typing) {
      const timer = setTimeout(() => this.set(userId, name, false), 6000);
      this.#people.set(userId, { name, timer });
    }
    this.#show();
  }

  #show() {
    const names = [...this.#people.values()].map(({ name }) => name);
    const many = names.length > 2;
    this.#line.textContent = many
      ? `${names.length} people are typing…`
      : names.length
        ? `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} typing…`
        : "";
  }
}

export function excerpt(text) {
  return (text ?? "").slice(0, 120).replace(/\s+/g, " ");
}

function localise(time) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.valueOf())) return;
  const now = new Date();
  const today = at.toDateString() === now.toDateString();
  const thisYear = at.getFullYear() === now.getFullYear();
  time.textContent = (today ? clock : thisYear ? dayMonth : shortDate).format(at);
  time.title = exact.format(at);
}
