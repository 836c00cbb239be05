/** One's own messages that are on their way, also from other tabs and earlier visits: below all others until they have come. */

import { PendingFiles } from "./pendingfiles.js";
import { t } from "./text.js";
import { element, moment } from "./views.js";

export class Pending {
  #list;
  #client;
  #chatId;
  #onEdit;
  #rows = new Map();
  #note = element("li", { className: "kept", role: "note", textContent: t("Kept only as long as this page is open.") });

  /** `onEdit({ content, reply_to, files })`: back into the field. */
  constructor({ list, client, chatId, onEdit }) {
    this.#list = list;
    this.#client = client;
    this.#chatId = chatId;
    this.#onEdit = onEdit;
    client.outbox.onChange(() => this.#draw());
    client.on("status", () => this.#draw());
    this.#draw();
  }

  /** Sends `{ content, reply_to?, files? }` as soon as it can be sent. Rejects with Full. */
  add(message) {
    return this.#client.outbox.add({ chat_id: this.#chatId, ...message });
  }

  /** The event of a message of one's own came: it is in the timeline now. */
  settle(clientId) {
    this.#client.outbox.acked(clientId);
  }

  #draw() {
    const entries = this.#client.outbox.entries(this.#chatId).filter((entry) => !isShown(entry));
    const there = new Set(entries.map((entry) => entry.client_id));
    for (const [id, row] of this.#rows) if (!there.has(id)) this.#remove(id, row);
    for (const entry of entries) this.#show(entry);
    this.#place(entries.map((entry) => this.#rows.get(entry.client_id).item));
    const lost = entries.some((entry) => /^(waiting|uploading|failed)$/.test(entry.state) && !this.#client.outbox.keeps(entry));
    if (lost !== this.#note.isConnected) lost ? this.#list.append(this.#note) : this.#note.remove();
    this.#list.hidden = !entries.length;
  }

  #remove(id, { item, files }) {
    const focused = item.contains(document.activeElement);
    this.#rows.delete(id);
    files.end();
    item.remove();
    if (focused) document.getElementById("write")?.focus();
  }

  /** In order, without moving what stands right: a button under a finger stays there. */
  #place(items) {
    items.forEach((item, at) => {
      if (this.#list.children[at] !== item) this.#list.insertBefore(item, this.#list.children[at] ?? null);
    });
  }

  #show(entry) {
    const row = this.#rows.get(entry.client_id) ?? this.#made(entry);
    const words = this.#words(entry);
    row.files.draw(entry.files ?? [], canChange(entry) && (entry.files.length > 1 || Boolean(entry.content)));
    const look = JSON.stringify([entry.content, words, entry.state, entry.tries]);
    if (row.look === look) return;
    row.look = look;
    row.text.textContent = entry.content;
    row.text.hidden = !entry.content;
    row.head.textContent = words.state;
    row.more.classList.toggle("calm", entry.state !== "failed");
    row.more.replaceChildren(...this.#more(entry, words.reason));
    row.more.hidden = !row.more.childNodes.length;
  }

  #made({ client_id: id }) {
    const text = element("div", { className: "body", dir: "auto" });
    const head = element("p", { className: "head" });
    const more = element("p", { className: "failed", hidden: true });
    const files = new PendingFiles((fileId) => this.#without(id, fileId));
    const item = element("li", { className: "msg" }, head, element("div", { className: "bubble" }, files.list, text), more);
    const row = { item, text, head, more, files, look: "" };
    this.#rows.set(id, row);
    return row;
  }

  #without(id, fileId) {
    const { outbox } = this.#client;
    const entry = outbox.entries(this.#chatId).find((one) => one.client_id === id);
    if (entry) outbox.edit(id, entry.content, entry.files.map((file) => file.id).filter((one) => one !== fileId));
  }

  #words({ state, reason, code, at }) {
    if (state === "failed") return { state: t("Not sent"), reason: why({ reason, code, at }) };
    if (state === "sent") return { state: t("Sent") };
    if (this.#client.status.state !== "live") return { state: t("Waiting for the connection") };
    if (reason) return { state: t("Will be sent again soon"), reason };
    return { state: state === "uploading" ? t("Sending the files…") : t("Sending…") };
  }

  #more(entry, reason) {
    const { client_id: id, state, tries, content, reply_to, files } = entry;
    const { outbox } = this.#client;
    // Of a file it is said beside it.
    const isSaid = files?.some(({ code }) => code);
    const parts = reason && !isSaid ? [element("span", { role: state === "failed" ? "alert" : "status", textContent: reason })] : [];
    const isIdle = state === "failed" || (state === "waiting" && this.#client.status.state !== "live");
    if (files && state !== "sent" && !isIdle && !reason) parts.push(button(t("Cancel"), () => outbox.drop(id)));
    if (!isIdle && !reason) return parts;
    // What may have arrived already cannot be changed here any more.
    if (state === "failed" || !tries) parts.push(button(t("Edit"), () => (outbox.drop(id), this.#onEdit({ content, reply_to, files: files?.map(asFile) }))));
    if (state === "failed") parts.push(button(t("Retry"), () => outbox.retry(id)));
    parts.push(button(t("Discard"), () => outbox.drop(id)));
    return parts;
  }
}

/** What may have arrived already cannot be changed. */
function canChange({ files, state, tries }) {
  return Boolean(files) && (state === "failed" || (!tries && (state === "waiting" || state === "uploading")));
}

function asFile({ blob, name, type }) {
  return blob instanceof File && blob.name === name ? blob : new File([blob], name, { type });
}

function isShown({ message_id: id }) {
  return Boolean(id) && Boolean(document.getElementById(`m${id}`));
}

function why({ reason, code, at }) {
  if (code === "too_old") return t("Written on {date} and not sent since.", { date: moment.format(at) });
  if (code === "outbox_full") return t("Too much waits to be sent already. Wait for the connection, or discard something.");
  return reason;
}

function button(text, act) {
  const made = element("button", { type: "button", className: "quiet", textContent: text });
  made.addEventListener("click", act);
  return made;
}
