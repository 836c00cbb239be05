/** Older and newer parts of the history, fetched as the reader comes near the edge. */

import { ask } from "./views.js";

const AHEAD = "800px 0px";
const AGAIN_MS = 4000;

export class History {
  #timeline;
  #watch;
  #onNewest;
  #ignored = 0;

  /** `onNewest()`: the page shows the newest messages from now on. */
  constructor({ scroller, timeline, onNewest }) {
    this.#timeline = timeline;
    this.#onNewest = onNewest;
    this.#watch = new IntersectionObserver((seen) => this.#seen(seen), { root: scroller, rootMargin: AHEAD });
    scroller.querySelectorAll(".more-history").forEach((box) => this.#watch.observe(box));
  }

  /** An event came that this page does not show yet: it is further down. */
  ignore(eventId) {
    this.#ignored = Math.max(this.#ignored, eventId ?? 0);
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) if (isIntersecting) this.#load(target);
  }

  async #load(box) {
    this.#watch.unobserve(box);
    box.setAttribute("aria-busy", "true");
    const older = box.matches(".older");
    const part = await ask(address(box.querySelector("a").href));
    if (!part) return this.#later(box);
    const list = part.querySelector(".timeline");
    const next = part.querySelector(older ? ".older" : ".newer");
    this.#timeline.join([...list.children], older);
    if (next) {
      box.replaceWith(next);
      this.#watch.observe(next);
    } else if (older || Number(list.dataset.upto) >= this.#ignored) {
      box.remove();
      if (!older) this.#onNewest();
    } else {
      // Something was said since this part was read: once more, from what came with it.
      box.querySelector("a").href = `${location.pathname}?after=${this.#timeline.newest}`;
      this.#watch.observe(box);
    }
    return undefined;
  }

  /** The link stays a link meanwhile. */
  #later(box) {
    box.removeAttribute("aria-busy");
    setTimeout(() => this.#watch.observe(box), AGAIN_MS);
  }
}

function address(href) {
  const url = new URL(href);
  url.pathname += "/timeline";
  return url;
}
