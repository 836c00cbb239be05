/** Writing: a message, an answer, or another text for an older message of one's own. */

import { Refused, Unauthorised, call, logIn } from "./api.js";
import { Draft } from "./drafts.js";
import { Mentions } from "./mentions.js";
import { Pending } from "./pending.js";
import { t, tn } from "./text.js";
import { Tray } from "./tray.js";
import { TypingSign } from "./typingsign.js";
import { element, excerpt } from "./views.js";

const NEAR = 400; // characters before the limit at which they begin to be counted

export class Composer {
  #form;
  #text;
  #pending;
  #draft;
  #typing;
  #mentions;
  #tray;
  #onSend;
  #onUp;
  #left = element("p", { id: "left", className: "left", role: "status", hidden: true });
  #editing = null;
  #kept = "";
  #busy = false;

  /**
   * `onSend()`: the reader has just sent something. `onUp()`: they want to change their last message.
   * `onReply(id)`: what they answered a moment ago is to be answered again.
   */
  constructor({ form, pendingList, client, chatId, me, onSend, onUp, onReply }) {
    this.#form = form;
    this.#text = form.elements.content;
    this.#onSend = onSend;
    this.#onUp = onUp;
    this.#pending = new Pending({ list: pendingList, client, chatId, onEdit: (message) => this.#back(message, onReply) });
    this.#draft = new Draft(me, chatId);
    this.#typing = new TypingSign(client, chatId);
    this.#mentions = new Mentions({ text: this.#text, chatId, me });
    this.#tray = new Tray({ form, zone: form.parentElement, onChange: () => this.#clean(), onRefused: (text) => this.#alert(text) });
    form.querySelector(".write").after(this.#left);
    if (!this.#text.value) this.#text.value = this.#draft.text;
    form.addEventListener("submit", (event) => (event.preventDefault(), this.#submit()));
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    this.#text.addEventListener("input", () => this.#changed());
    form.addEventListener("click", (event) => {
      if (!event.target.closest(".cancel")) return;
      event.preventDefault();
      this.cancel();
    });
    this.#fit();
  }

  get settled() {
    return this.#pending;
  }

  /** `{ id, name, text }` of the message that is answered. */
  replyTo({ id, name, text }) {
    if (this.#editing) this.cancel();
    this.#form.elements.reply_to.value = id;
    const said = element("span", { dir: "auto", textContent: excerpt(text) });
    this.#say(t("Replying to {name}:", { name }), said);
    this.#text.focus();
  }

  /** Puts the text of one's own message into the field; what was typed there waits. */
  async edit(id) {
    const message = await this.#try(() => call("GET", `/api/messages/${id}`));
    if (!message || message.deleted) return;
    if (!this.#editing) this.#kept = this.#text.value;
    this.#form.elements.reply_to.value = "";
    this.#editing = { id, content: message.content, mayBeEmpty: message.attachments?.length > 0 };
    this.#say(t("Changing your message:"), element("span", { dir: "auto", textContent: excerpt(message.content) }));
    this.#form.classList.add("editing");
    this.#put(message.content);
  }

  /** Neither an answer nor a change any more. */
  cancel() {
    const line = this.#form.querySelector("#replying");
    line.hidden = true;
    line.replaceChildren();
    this.#form.elements.reply_to.value = "";
    this.#form.classList.remove("editing");
    this.#clean();
    if (this.#editing) {
      this.#editing = null;
      this.#put(this.#kept);
    }
    this.#text.focus();
  }

  /** This message is gone: it can be neither answered nor changed. */
  forget(id) {
    if (this.#editing?.id === id || this.#form.elements.reply_to.value === id) this.cancel();
  }

  /** Says above the field why something could not be done. */
  complain(error) {
    if (error instanceof Unauthorised) return logIn();
    this.#clean();
    this.#alert(error instanceof Refused ? error.message : t("The server could not be reached."));
    return undefined;
  }

  #alert(text) {
    this.#form.prepend(element("p", { className: "alert", role: "alert", textContent: text }));
  }

  async #submit() {
    const content = this.#text.value.trim();
    if (this.#busy || this.#tooMany() > 0 || !(content || this.#mayBeEmpty)) return this.#text.focus();
    if (this.#tray.isWrong && !this.#editing) return this.#tray.focusWrong();
    this.#clean();
    this.#typing.stop();
    this.#mentions.close();
    if (this.#editing) return this.#save(content);
    const message = { content, files: this.#tray.take() };
    if (this.#form.elements.reply_to.value) message.reply_to = this.#form.elements.reply_to.value;
    this.#put("");
    this.#draft.keep("");
    this.cancel();
    this.#pending.add(message).catch(() => this.#tooMuch(message));
    this.#onSend();
    return undefined;
  }

  /** Files say enough. */
  get #mayBeEmpty() {
    return this.#editing ? this.#editing.mayBeEmpty : this.#tray.files.length > 0;
  }

  #tooMuch(message) {
    this.#back(message, () => {});
    this.#alert(t("Too much waits to be sent already. Wait for the connection, or discard something."));
  }

  async #save(content) {
    const { id, content: before } = this.#editing;
    this.#busy = true;
    const done = content === before || (await this.#try(() => call("PATCH", `/api/messages/${id}`, { content })));
    this.#busy = false;
    if (done && this.#editing?.id === id) this.cancel();
  }

  async #try(work) {
    try {
      return await work();
    } catch (error) {
      this.complain(error);
      return null;
    }
  }

  /** Back into the field, beside what stands there. */
  #back({ content, reply_to, files = [] }, onReply) {
    if (this.#editing) this.cancel();
    if (reply_to && !this.#form.elements.reply_to.value) onReply(reply_to);
    this.#put([content, this.#text.value].filter(Boolean).join("\n"));
    this.#tray.add(files);
    this.#draft.keep(this.#text.value);
  }

  #put(content) {
    this.#text.value = content;
    this.#fit();
    this.#text.focus();
    this.#text.setSelectionRange(content.length, content.length);
  }

  #say(...content) {
    const line = this.#form.querySelector("#replying");
    const cancel = element("a", { className: "cancel", href: location.pathname, textContent: t("Cancel") });
    line.replaceChildren(element("span", { className: "excerpt" }, content[0], " ", content[1]), cancel);
    line.hidden = false;
  }

  #clean() {
    this.#form.querySelectorAll(".error, .alert").forEach((note) => note.remove());
    this.#text.removeAttribute("aria-invalid");
  }

  #key(event) {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Escape" && (this.#editing || this.#form.elements.reply_to.value)) {
      event.preventDefault();
      this.cancel();
    }
    if (event.key === "ArrowUp" && !this.#text.value && !event.shiftKey) {
      event.preventDefault();
      this.#onUp();
    }
    // On a touch keyboard Enter is the only way to a new line.
    if (event.key !== "Enter" || event.shiftKey || matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    this.#submit();
  }

  #changed() {
    this.#fit();
    if (this.#editing) return;
    this.#draft.keep(this.#text.value);
    this.#typing.typed(this.#text.value);
  }

  /** Height and length. */
  #fit() {
    const over = this.#tooMany();
    this.#left.hidden = over < -NEAR;
    this.#left.classList.toggle("error", over > 0);
    if (over <= 0 && !this.#left.hidden) this.#text.removeAttribute("aria-invalid");
    if (over > 0) {
      this.#text.setAttribute("aria-invalid", "true");
      this.#left.textContent = tn("{n} character too many: shorten the text, or send it in parts.", "{n} characters too many: shorten the text, or send it in parts.", over);
    } else if (over >= -NEAR) this.#left.textContent = tn("{n} character left", "{n} characters left", -over);
    if (CSS.supports("field-sizing", "content")) return;
    // Through the CSSOM, which the content security policy allows.
    this.#text.style.blockSize = "auto";
    this.#text.style.blockSize = `${this.#text.scrollHeight + 2}px`;
  }

  /** By how many characters (code points, as the server counts) the text is too long. */
  #tooMany() {
    const most = Number(this.#form.dataset.max);
    const text = this.#text.value.trim();
    return text.length < most - NEAR ? -most : [...text].length - most;
  }
}
