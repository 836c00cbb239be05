/** "Seen by Ada, Ben" below the newest message of one's own, in small chats. */

import { t } from "./text.js";
import { element } from "./views.js";

export class Receipts {
  #timeline;
  #key;
  #me;
  #people;
  #line = document.getElementById("seen") ?? element("li", { id: "seen", className: "seen" });

  /** `receipts`: [{ user_id, name, event_id }] as the server told them; null in large chats. */
  constructor({ timeline, key, me, receipts }) {
    this.#timeline = timeline;
    this.#key = key;
    this.#me = me;
    this.#people = receipts && new Map(receipts.map((one) => [one.user_id, one]));
  }

  /** Somebody has read up to this event. `name`: if it is known. */
  read({ user_id: id, event_id: upto }, name) {
    if (!this.#people || id === this.#me) return;
    const known = this.#people.get(id) ?? { user_id: id, name, event_id: 0 };
    this.#people.set(id, { ...known, event_id: Math.max(known.event_id, upto) });
    this.draw();
  }

  gone(userId) {
    this.#people?.delete(userId);
    this.draw();
  }

  /** To the right place, with the right names. */
  draw() {
    const mine = this.#people && this.#timeline.newestBy(this.#key);
    const upto = Number(mine?.dataset.eventId);
    const seen = mine ? [...this.#people.values()].filter((one) => one.name && one.user_id !== this.#me && one.event_id >= upto) : [];
    if (!seen.length) return this.#line.remove();
    const names = seen.sort((a, b) => b.event_id - a.event_id).map((one) => one.name);
    const text = t("Seen by {names}", { names: names.join(", ") });
    this.#timeline.steady(() => {
      if (this.#line.previousElementSibling !== mine) mine.after(this.#line);
      if (this.#line.textContent !== text) this.#line.textContent = text;
      this.#line.hidden = false;
    });
    return undefined;
  }
}
