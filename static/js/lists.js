/**
 * What a page lists, kept as the server would render it now: rows are asked for one by one,
 * lists whole.
 */

import { ask, localiseAll, refresh } from "./views.js";

const ROW_MS = 300;
const LIST_MS = 500;

export class Lists {
  #me;
  #current;
  #waiting = new Set();
  #deleted = new Set();
  #rowTimer = 0;
  #reloadTimer = 0;
  #liveTimer = 0;
  onUnread = () => {};

  /** `current`: the id of the chat that is open, or null. */
  constructor({ me, current }) {
    this.#me = me;
    this.#current = current;
  }

  /** How many messages of chats that are not muted are unread. */
  get unread() {
    const counts = [...document.querySelectorAll("#chat-list a:not([aria-current]) .badge:not(.calm)")];
    return counts.reduce((sum, badge) => sum + (parseInt(badge.textContent, 10) || 0), 0);
  }

  /** Something of this chat's row is different now. */
  changed(chatId) {
    if (!list()) return;
    this.#waiting.add(chatId);
    this.#rowTimer ||= setTimeout(() => this.#rows(), ROW_MS);
  }

  /** What a row tells of this message is gone at once; what is there instead comes with the row. */
  deleted({ chat_id: chatId, message_id: messageId }) {
    this.#deleted.add(messageId);
    this.#blank(row(chatId));
    this.changed(chatId);
  }

  #blank(item) {
    const last = item?.querySelector(".last");
    // One that was asked for before it was deleted may still hold it; a fresh one says that it was.
    if (this.#deleted.has(last?.dataset.messageId) && last.querySelector("bdi")) last.textContent = "";
  }

  /** Somebody came or went: the row of the direct chat with them shows it. */
  presence(userId) {
    const item = list()?.querySelector(`:scope > [data-other="${CSS.escape(userId)}"]`);
    if (item) this.changed(item.dataset.chatId);
  }

  /** Chats came or went. */
  reload() {
    if (!list()) return;
    clearTimeout(this.#reloadTimer);
    this.#reloadTimer = setTimeout(() => this.#reload(), LIST_MS);
  }

  /** What the page marks as `data-live` is fetched anew. */
  refreshLive() {
    if (!document.querySelector("[data-live]")) return;
    clearTimeout(this.#liveTimer);
    this.#liveTimer = setTimeout(() => this.#live(), LIST_MS);
  }

  async #rows() {
    const ids = [...this.#waiting];
    this.#waiting.clear();
    await Promise.all(ids.map((id) => this.#row(id)));
    this.#rowTimer = 0;
    if (this.#waiting.size) this.#rowTimer = setTimeout(() => this.#rows(), ROW_MS);
    this.onUnread(this.unread);
  }

  async #row(chatId) {
    const stale = row(chatId);
    if (!stale) return this.reload();
    const fresh = (await ask(`/c/${encodeURIComponent(chatId)}/row`, { unasked: true }))?.querySelector("li");
    if (!fresh || !stale.isConnected) return undefined;
    const focused = stale.contains(document.activeElement);
    this.#mark(fresh);
    this.#blank(fresh);
    const newer = stamp(fresh) > stamp(stale);
    stale.replaceWith(fresh);
    if (newer && fresh.previousElementSibling) fresh.parentElement.prepend(fresh);
    if (focused) fresh.querySelector("a").focus();
    return undefined;
  }

  async #reload() {
    const shown = document.querySelector("main #chat-list") ? location.href : "/c";
    const wanted = shown === location.href ? ["#chat-list", "#chat-list-blank"] : ["#chat-list"];
    if (!(await refresh(wanted, shown))) return;
    for (const item of list()?.children ?? []) this.#blank(item);
    const open = row(this.#current);
    if (open) this.#mark(open);
    this.onUnread(this.unread);
  }

  async #live() {
    const ids = [...document.querySelectorAll("[data-live]")].map((part) => `#${part.id}`);
    await refresh(ids, location.href);
  }

  #mark(item) {
    localiseAll(item);
    if (item.dataset.chatId === this.#current) item.querySelector("a").setAttribute("aria-current", "page");
  }
}

const list = () => document.getElementById("chat-list");
const row = (chatId) => list()?.querySelector(`:scope > [data-chat-id="${CSS.escape(chatId ?? "")}"]`);
const stamp = (item) => item.querySelector("time")?.dateTime ?? "";
