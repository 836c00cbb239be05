/** One's own messages that are on their way: shown below the others until their event comes. */

import { Refused, Unauthorised, call, logIn } from "./api.js";
import { t } from "./text.js";
import { element } from "./views.js";

export class Pending {
  #list;
  #chat;
  #onEdit;
  #messages = new Map();
  #queue = Promise.resolve();

  /** `chat`: address of the chat's API. `onEdit(content)`: back into the field. */
  constructor({ list, chat, onEdit }) {
    this.#list = list;
    this.#chat = chat;
    this.#onEdit = onEdit;
  }

  /** Shows and sends a message: `{ content, client_id, reply_to? }`. */
  add(body) {
    const text = element("div", { className: "body", dir: "auto", textContent: body.content });
    const item = element("li", { className: "msg" });
    const head = element("p", { className: "head" });
    const failed = element("p", { className: "failed", hidden: true });
    item.append(head, element("div", { className: "bubble" }, text), failed);
    this.#list.append(item);
    this.#list.hidden = false;
    const message = { body, item, head, failed, lost: false };
    this.#messages.set(body.client_id, message);
    this.#send(message);
  }

  /** The event of a message of one's own came: it is in the timeline now. */
  settle(clientId) {
    this.#messages.get(clientId)?.item.remove();
    this.#messages.delete(clientId);
    this.#list.hidden = this.#messages.size === 0;
  }

  /** The message that some of these answer was deleted: they would be refused. */
  forget(messageId) {
    for (const { body, lost } of this.#messages.values()) {
      if (lost && body.reply_to === messageId) delete body.reply_to;
    }
  }

  /** Sends again what the network did not take. */
  retryAll() {
    for (const message of this.#messages.values()) if (message.lost) this.#send(message);
  }

  #send(message) {
    message.lost = false;
    message.failed.hidden = true;
    message.head.textContent = t("Sending…");
    // One after the other, so that they arrive in the order in which they were written.
    this.#queue = this.#queue.then(() => this.#post(message));
  }

  async #post(message) {
    try {
      await call("POST", `${this.#chat}/messages`, message.body);
      message.head.textContent = t("Sent");
    } catch (error) {
      if (error instanceof Unauthorised) return logIn();
      const refused = error instanceof Refused;
      message.lost = !refused || error.mayPass;
      this.#fail(message, refused ? error.message : t("Not sent: the server could not be reached."));
    }
    return undefined;
  }

  #fail(message, why) {
    const button = (text, act) => {
      const made = element("button", { type: "button", className: "quiet", textContent: text });
      made.addEventListener("click", act);
      return made;
    };
    const retry = message.lost
      ? button(t("Retry"), () => this.#send(message))
      : button(t("Edit"), () => (this.settle(message.body.client_id), this.#onEdit(message.body.content)));
    const discard = button(t("Discard"), () => this.settle(message.body.client_id));
    message.head.textContent = "";
    message.failed.replaceChildren(element("span", { role: "alert", textContent: why }), retry, discard);
    message.failed.hidden = false;
  }
}
