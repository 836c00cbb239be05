/** Pictures and videos of a page, large, one after the other. Without this they are links to themselves. */

import { t } from "./text.js";
import { element } from "./views.js";

const SWIPE_PX = 48;
const LARGE_PX = 1280; // of a preview's longer side

export class Viewer {
  #root;
  #dialog = null;
  #parts;
  #shots = [];
  #at = 0;
  #opener = null;

  /** `root`: whatever in it has `data-view`. */
  constructor(root) {
    this.#root = root;
    root.addEventListener("click", (event) => this.#clicked(event));
    // What is transparent in a picture would show the blur that stood in for it.
    root.addEventListener("load", ({ target }) => unblur(target), true);
    for (const picture of root.querySelectorAll(".shot > img:not(.blur)")) if (picture.complete && picture.naturalWidth) unblur(picture);
  }

  /** Something in the page came or went: what is gone is not shown any more. */
  refresh() {
    if (!this.#dialog?.open) return;
    const { url } = this.#shots[this.#at].dataset;
    this.#shots = this.#all();
    const at = this.#shots.findIndex((shot) => shot.dataset.url === url);
    if (!this.#shots.length) this.#dialog.close();
    else if (at < 0) this.#show(Math.min(this.#at, this.#shots.length - 1));
    else this.#count((this.#at = at));
  }

  #all() {
    return [...this.#root.querySelectorAll("[data-view]")];
  }

  #clicked(event) {
    const shot = event.target.closest("a[data-view]");
    if (!shot || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.#open(shot);
  }

  #open(shot) {
    this.#dialog ??= this.#made();
    this.#opener = shot;
    this.#shots = this.#all();
    this.#show(this.#shots.indexOf(shot));
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#parts.close.focus();
  }

  #made() {
    const button = (icon, text, act, more = "") => {
      const made = element("button", { type: "button", className: `viewer-act ${more}`, title: text }, element("span", { className: `icon i-${icon}` }), element("span", { className: "unseen", textContent: text }));
      made.addEventListener("click", act);
      return made;
    };
    const name = element("a", { className: "viewer-name", target: "_blank", rel: "noopener", dir: "auto" });
    const about = element("a", { className: "viewer-about" });
    const count = element("span", { className: "viewer-count", role: "status" });
    const have = element("a", { className: "viewer-act button", title: t("Download") }, element("span", { className: "icon i-download" }), element("span", { className: "unseen", textContent: t("Download") }));
    const close = button("close", t("Close"), () => this.#dialog.close());
    const stage = element("div", { className: "viewer-stage" });
    const before = button("back", t("Previous"), () => this.#step(-1), "viewer-before");
    const after = button("next", t("Next"), () => this.#step(1), "viewer-after");
    const head = element("div", { className: "viewer-head" }, element("p", {}, name, about), count, have, close);
    const dialog = element("dialog", { className: "viewer", ariaLabel: t("Pictures and videos") }, head, stage, before, after);
    this.#parts = { name, about, count, have, close, stage, before, after };
    dialog.addEventListener("keydown", (event) => this.#key(event));
    dialog.addEventListener("close", () => this.#closed());
    stage.addEventListener("click", ({ target }) => target === stage && dialog.close());
    new Swipe(stage, (step) => this.#step(step));
    document.body.append(dialog);
    return dialog;
  }

  #closed() {
    this.#parts.stage.replaceChildren(); // a video ends
    (this.#opener?.isConnected ? this.#opener : this.#shots[this.#at])?.focus({ preventScroll: true });
  }

  #key(event) {
    const isRtl = getComputedStyle(this.#dialog).direction === "rtl";
    const steps = { ArrowLeft: isRtl ? 1 : -1, ArrowRight: isRtl ? -1 : 1, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    // A video's own keys move in it.
    if (!step || event.target.tagName === "VIDEO") return;
    event.preventDefault();
    this.#step(step);
  }

  #step(step) {
    const to = Math.max(0, Math.min(this.#shots.length - 1, this.#at + step));
    if (to !== this.#at) this.#show(to);
  }

  #show(at) {
    this.#at = at;
    const { name, about, have, stage } = this.#parts;
    const shot = this.#shots[at];
    const { url, name: text } = shot.dataset;
    Object.assign(name, { href: url, textContent: text });
    about.textContent = aboutOf(shot);
    const { place } = shot.dataset;
    if (place) Object.assign(about, { href: place, title: t("In the chat") });
    Object.assign(have, { href: `${url}?download=1`, download: text });
    const focused = stage.contains(document.activeElement);
    stage.replaceChildren(shot.dataset.view === "video" ? film(shot) : picture(shot));
    if (focused) this.#parts.close.focus();
    this.#count();
    for (const near of [at - 1, at + 1]) preload(this.#shots[near]);
  }

  #count() {
    const { count, before, after } = this.#parts;
    count.textContent = t("{at} of {n}", { at: this.#at + 1, n: this.#shots.length });
    // One that is disabled under the focus would lose it.
    const ends = [[before, this.#at === 0, after], [after, this.#at === this.#shots.length - 1, before]];
    for (const [button, isEnd, other] of ends) {
      if (isEnd && document.activeElement === button) (this.#shots.length > 1 ? other : this.#parts.close).focus();
      button.disabled = isEnd;
    }
  }
}

/** Who sent it and when: of its message, or as it says itself. */
function aboutOf(shot) {
  const message = shot.closest(".msg");
  const who = shot.dataset.who ?? message?.querySelector(".who")?.textContent;
  const time = message?.querySelector("time:not(.edited)") ?? shot.parentElement.querySelector("time");
  return [who, time?.title || time?.textContent].filter(Boolean).join(" · ");
}

function picture(shot) {
  const { url, poster, name, animated } = shot.dataset;
  const small = shot.querySelector("img:not(.blur)");
  const shown = element("img", { className: "viewer-shot", alt: name, src: animated === undefined ? poster ?? url : url, draggable: false });
  if (small) Object.assign(shown, { width: small.width, height: small.height });
  shown.addEventListener("load", () => (Object.assign(shown, { width: shown.naturalWidth, height: shown.naturalHeight }), sharpen(shown, shot)), { once: true });
  return shown;
}

/** The picture itself, where the window shows more of it than the preview has. */
function sharpen(shown, { dataset: { url, poster, animated } }) {
  if (!poster || animated !== undefined || Math.max(innerWidth, innerHeight) * devicePixelRatio <= LARGE_PX) return;
  if (Math.max(shown.naturalWidth, shown.naturalHeight) < LARGE_PX || navigator.connection?.saveData) return;
  const whole = element("img", { src: url });
  whole.decode().then(() => (shown.src = url), () => {});
}

function film({ dataset: { url, poster, name } }) {
  return element("video", { className: "viewer-shot", controls: true, playsInline: true, preload: "metadata", src: url, ...(poster && { poster }), ariaLabel: name });
}

function preload(shot) {
  const { poster, url, view } = shot?.dataset ?? {};
  if (view === "image" || poster) new Image().src = poster ?? url;
}

function unblur(picture) {
  if (picture.matches?.(".shot > img:not(.blur)")) picture.parentElement.querySelector(".blur")?.remove();
}

/** A finger that moves sideways; the picture follows it. */
class Swipe {
  #stage;
  #onStep;
  #from = null;

  constructor(stage, onStep) {
    this.#stage = stage;
    this.#onStep = onStep;
    stage.addEventListener("pointerdown", (event) => event.pointerType !== "mouse" && event.isPrimary && this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#moved(event));
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => this.#up(event, end === "pointerup"));
  }

  #down({ pointerId: id, clientX: x, clientY: y, target }) {
    if (target.tagName !== "VIDEO") this.#from = { id, x, y };
  }

  #moved({ pointerId, clientX }) {
    if (pointerId !== this.#from?.id || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.#lay(`${clientX - this.#from.x}px`);
  }

  #up({ pointerId, clientX, clientY }, isMeant) {
    if (pointerId !== this.#from?.id) return;
    const [dx, dy] = [clientX - this.#from.x, clientY - this.#from.y];
    this.#from = null;
    this.#lay("");
    const isRtl = getComputedStyle(this.#stage).direction === "rtl";
    if (isMeant && Math.abs(dx) > SWIPE_PX && Math.abs(dx) > Math.abs(dy)) this.#onStep(dx < 0 === isRtl ? -1 : 1);
  }

  // Through the CSSOM, which the content security policy allows.
  #lay(away) {
    const shown = this.#stage.firstElementChild;
    if (shown) shown.style.translate = away;
  }
}
