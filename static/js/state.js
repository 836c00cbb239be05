/** The words for the state of the connection: a quiet line, and a card while something is wrong. */

import { t, tn } from "./text.js";
import { clock, element } from "./views.js";

const CARD_AFTER_MS = 1500; // what is mended at once needs no words
const RESTORED_MS = 8000;
const WAYS = { websocket: t("WebSocket"), stream: t("streaming"), sse: t("streaming"), poll: t("polling"), serial: t("polling") };

export class StateLine {
  #box;
  #line;
  #card;
  #more;
  #retry;
  #status = {};
  #lost = false;
  #restoredUntil = 0;
  #timer = 0;

  /** `onRetry()`: the reader does not want to wait. A page may have no such line. */
  constructor(box, onRetry) {
    this.#box = box;
    if (!box) return;
    this.#line = box.querySelector(".state-line");
    this.#more = element("p");
    this.#retry = element("button", { type: "button", className: "soft", textContent: t("Try now") });
    this.#retry.addEventListener("click", onRetry);
    this.#card = element("div", { className: "state-card", hidden: true }, this.#more, this.#retry);
    box.append(this.#card);
  }

  /** `status` as the client tells it. */
  show(status) {
    if (!this.#box) return;
    if (status.since) this.#lost = true;
    if (status.state === "live" && this.#lost) {
      this.#lost = false;
      this.#restoredUntil = Date.now() + RESTORED_MS;
    }
    this.#status = status;
    this.#draw();
  }

  #draw() {
    clearTimeout(this.#timer);
    const restored = this.#status.state === "live" && Date.now() < this.#restoredUntil;
    write(this.#line, this.#short(restored));
    this.#box.dataset.state = restored ? "restored" : this.#status.state;
    const wrong = Boolean(this.#status.since) && Date.now() - this.#status.since >= CARD_AFTER_MS;
    write(this.#more, restored ? this.#back() : wrong ? this.#trouble() : "");
    // A button under a finger must not vanish between two tries.
    this.#retry.hidden = !wrong;
    this.#retry.disabled = this.#status.state === "connecting";
    this.#card.hidden = !restored && !wrong;
    if (restored || this.#status.since) this.#timer = setTimeout(() => this.#draw(), 500);
  }

  #short(restored) {
    const { state, transport, since } = this.#status;
    const way = { transport: WAYS[transport] ?? transport };
    if (restored) return t("Connection restored, live over {transport}", way);
    if (state === "live") return t("Live over {transport}", way);
    const time = since && clock.format(since);
    if (state === "captive") return t("Another page answers");
    if (state === "offline") return time ? t("Offline since {time}", { time }) : t("Offline");
    return time ? t("Connection lost since {time}", { time }) : t("Connecting…");
  }

  #trouble() {
    const { state, nextTryAt } = this.#status;
    if (state === "offline") return t("You are offline. What you miss comes when the network is back.");
    if (state === "captive") return t("Another page answers in place of the server: perhaps this network wants you to log in first. Open this page once more to see it.");
    if (state === "connecting" || !nextTryAt) return t("Reconnecting…");
    const n = Math.max(1, Math.ceil((nextTryAt - Date.now()) / 1000));
    return t("The server cannot be reached. Next try in {n} s.", { n });
  }

  #back() {
    const n = this.#status.missed;
    if (!n) return t("The connection is back. Nothing was missed.");
    return tn("The connection is back. {n} message came meanwhile.", "The connection is back. {n} messages came meanwhile.", n);
  }
}

/** Only what changes, so that nothing is read out twice. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
