/** Writing: what is sent, what is still on its way, what failed, and the sign that one types. */

import { Refused, Unauthorised, call, logIn, uuid } from "./api.js";
import { element, excerpt } from "./views.js";

const TYPING_EVERY_MS = 3000;
const TYPING_STOPS_MS = 5000;

export class Composer {
  #form;
  #text;
  #chat;
  #pendingList;
  #pending = new Map();
  #queue = Promise.resolve();
  #onSend;
  #typing = { sent: 0, timer: 0 };

  /** `chat`: address of the chat's API. `onSend()`: the reader has just sent something. */
  constructor({ form, pendingList, chat, onSend }) {
    this.#form = form;
    this.#text = form.elements.content;
    this.#chat = chat;
    this.#pendingList = pendingList;
    this.#onSend = onSend;
    form.addEventListener("submit", (event) => (event.preventDefault(), this.#submit()));
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    this.#text.addEventListener("input", () => (this.#grow(), this.#type()));
    form.addEventListener("click", (event) => {
      if (!event.target.closest(".cancel")) return;
      event.preventDefault();
      this.replyTo(null);
    });
  }

  /** `{ id, name, text }` of the message that is answered, or null. */
  replyTo(message) {
    const line = this.#form.querySelector("#replying");
    this.#form.elements.reply_to.value = message?.id ?? "";
    line.hidden = !message;
    if (message) {
      const name = element("b", { dir: "auto", textContent: message.name });
      const text = element("span", { dir: "auto", textContent: excerpt(message.text) });
      const quote = element("span", { className: "excerpt" }, "Replying to ", name, ": ", text);
      const cancel = element("a", { className: "cancel", href: location.pathname, textContent: "Cancel" });
      line.replaceChildren(quote, cancel);
    }
    this.#text.focus();
  }

  /** The event of a message of one's own came: it is in the timeline now. */
  settle(clientId) {
    this.#pending.get(clientId)?.item.remove();
    this.#pending.delete(clientId);
    this.#pendingList.hidden = this.#pending.size === 0;
  }

  /** Sends again what the network did not take. */
  retryAll() {
    for (const message of this.#pending.values()) if (message.lost) this.#send(message);
  }

  #submit() {
    const content = this.#text.value.trim();
    if (!content) return;
    const message = { content, client_id: uuid() };
    const replyTo = this.#form.elements.reply_to.value;
    if (replyTo) message.reply_to = replyTo;
    this.#text.value = "";
    this.#form.querySelectorAll(".error, .alert").forEach((note) => note.remove());
    this.#grow();
    this.replyTo(null);
    this.#stopTyping();
    this.#show(message);
    this.#onSend();
  }

  #show(body) {
    const text = element("div", { className: "body", dir: "auto", textContent: body.content });
    const item = element("li", { className: "msg" });
    const head = element("p", { className: "head" });
    const failed = element("p", { className: "failed", hidden: true });
    item.append(head, element("div", { className: "bubble" }, text), failed);
    this.#pendingList.append(item);
    this.#pendingList.hidden = false;
    const message = { body, item, head, failed, lost: false };
    this.#pending.set(body.client_id, message);
    this.#send(message);
  }

  #send(message) {
    message.lost = false;
    message.failed.hidden = true;
    message.head.textContent = "Sending…";
    // One after the other, so that they arrive in the order in which they were written.
    this.#queue = this.#queue.then(() => this.#post(message));
  }

  async #post(message) {
    try {
      await call("POST", `${this.#chat}/messages`, message.body);
      message.head.textContent = "Sent";
    } catch (error) {
      if (error instanceof Unauthorised) return logIn();
      const refused = error instanceof Refused;
      message.lost = !refused || error.mayPass;
      this.#fail(message, refused ? error.message : "Not sent: the server could not be reached.");
    }
  }

  #fail(message, why) {
    const button = (text, act) => {
      const made = element("button", { type: "button", className: "quiet", textContent: text });
      made.addEventListener("click", act);
      return made;
    };
    const retry = message.lost
      ? button("Retry", () => this.#send(message))
      : button("Edit", () => this.#edit(message));
    const discard = button("Discard", () => this.settle(message.body.client_id));
    message.head.textContent = "";
    message.failed.replaceChildren(element("span", { role: "alert", textContent: why }), retry, discard);
    message.failed.hidden = false;
  }

  /** Back into the box: sent as it was, it would be refused again. */
  #edit(message) {
    this.settle(message.body.client_id);
    this.#text.value = [message.body.content, this.#text.value].filter(Boolean).join("\n");
    this.#grow();
    this.#text.focus();
  }

  #key(event) {
    const plainEnter = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    // On a touch keyboard Enter is the only way to a new line.
    if (!plainEnter || matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    this.#submit();
  }

  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    // Through the CSSOM, which the content security policy allows.
    this.#text.style.blockSize = "auto";
    this.#text.style.blockSize = `${this.#text.scrollHeight + 2}px`;
  }

  #type() {
    if (!this.#text.value) return this.#stopTyping();
    clearTimeout(this.#typing.timer);
    this.#typing.timer = setTimeout(() => this.#stopTyping(), TYPING_STOPS_MS);
    if (Date.now() - this.#typing.sent < TYPING_EVERY_MS) return undefined;
    this.#typing.sent = Date.now();
    return this.#signal(true);
  }

  #stopTyping() {
    clearTimeout(this.#typing.timer);
    if (!this.#typing.sent) return;
    this.#typing.sent = 0;
    this.#signal(false);
  }

  #signal(typing) {
    // A sign of typing that is lost is not worth a word.
    call("POST", `${this.#chat}/typing`, { is_typing: typing }).catch(() => {});
  }
}
