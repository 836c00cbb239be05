/** What has just come, told in the corner for a while; the server made its text. */

import { t } from "./text.js";
import { element, localiseAll, ask } from "./views.js";

const STAYS_MS = 8000;
const MOST = 3;

/** Shows one notification, as its row of the list looks. */
export async function toast({ notification_id: id }) {
  show((await ask(`/notifications/${encodeURIComponent(id)}/toast`, { unasked: true }))?.querySelector(".notice"));
}

/** Shows what the operator's programs tell: the fragment that a timeline would show. */
export function announce(html) {
  const parsed = new DOMParser().parseFromString(html ?? "", "text/html");
  const note = parsed.querySelector(".note");
  if (note) tell(...note.childNodes);
}

/** Shows these nodes; the toast that holds them, or null where this page has no place for one. */
export function tell(...nodes) {
  return show(element("div", { className: "notice told" }, ...nodes));
}

function show(row) {
  const corner = document.getElementById("toasts");
  if (!row || !corner) return null;
  const close = element("button", { type: "button", className: "close" });
  close.append(element("span", { className: "icon i-close" }), unseen(t("Dismiss")));
  const made = element("div", { className: "toast" }, row, close);
  localiseAll(made);
  corner.append(made);
  while (corner.children.length > MOST) corner.firstElementChild.remove();
  new Stay(made, close);
  return made;
}

/** Goes after a while, but not from under the hand or the eye of who reads it. */
class Stay {
  #timer = 0;

  constructor(made, close) {
    const go = () => (clearTimeout(this.#timer), made.remove());
    const wait = () => (this.#timer = setTimeout(go, STAYS_MS));
    const hold = () => clearTimeout(this.#timer);
    close.addEventListener("click", go);
    for (const sign of ["pointerenter", "focusin"]) made.addEventListener(sign, hold);
    for (const sign of ["pointerleave", "focusout"]) made.addEventListener(sign, () => (hold(), wait()));
    if (document.visibilityState === "visible") wait();
    else document.addEventListener("visibilitychange", wait, { once: true });
  }
}

const unseen = (textContent) => element("span", { className: "unseen", textContent });
