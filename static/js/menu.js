/** What one can do with a message, as a menu; its pieces are the server's (partials/tools.html). */

import { call } from "./api.js";
import { t } from "./text.js";
import { gistOf } from "./views.js";

const EDGE = 8;

export class Menu {
  #menu;
  #palette;
  #sure;
  #key;
  #acts;
  #item = null;
  #opener = null;

  /**
   * `tools`: the fragment that holds the pieces. `key`: stands for the reader in `data-by`.
   * `acts`: { reply(item), edit(item), react(item, emoji), say(text), complain(error) }.
   */
  constructor({ tools, page, key, acts }) {
    this.#menu = tools.getElementById("menu");
    this.#palette = tools.getElementById("palette");
    this.#sure = tools.getElementById("sure");
    this.#key = key;
    this.#acts = acts;
    page.append(this.#menu, this.#palette, this.#sure);
    for (const sheet of [this.#menu, this.#palette]) {
      sheet.addEventListener("click", (event) => this.#pick(event));
      sheet.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#closed(sheet));
      sheet.addEventListener("keydown", (event) => this.#move(event, sheet));
    }
    page.addEventListener("focusin", ({ target }) => opens(target, ".acts .more", "menu") || opens(target, ".acts .react", "dialog"));
    this.#menu.addEventListener("keydown", (event) => event.key === "Tab" && this.#menu.hidePopover());
  }

  open(item, opener) {
    const own = item.dataset.by === this.#key;
    const pinned = Boolean(item.querySelector(".pinned"));
    const holds = { own, pinned, unpinned: !pinned, anybody: true };
    for (const choice of this.#menu.querySelectorAll("[data-for]")) choice.hidden = !holds[choice.dataset.for];
    this.#menu.querySelector("[data-do=copy-text]").hidden = !item.querySelector(".body");
    this.#menu.querySelector("[data-do=open]").href = item.querySelector(".acts .more").href;
    this.#show(this.#menu, item, opener);
    opener.setAttribute("aria-expanded", "true");
  }

  openPalette(item, opener) {
    this.#palette.querySelector(".other-emoji").href = item.querySelector(".acts .react").href;
    this.#show(this.#palette, item, opener);
  }

  #show(sheet, item, opener) {
    this.#item = item;
    this.#opener = opener;
    sheet.showPopover();
    place(sheet, opener.getBoundingClientRect());
    choices(sheet)[0]?.focus();
  }

  #closed(sheet) {
    this.#opener?.setAttribute("aria-expanded", "false");
    const lost = document.activeElement === document.body || sheet.contains(document.activeElement);
    if (lost && this.#opener?.isConnected) this.#opener.focus({ preventScroll: true });
  }

  #pick(event) {
    const choice = event.target.closest("button");
    if (!choice) return;
    const { do: what = "react", emoji } = choice.dataset;
    const [item, opener] = [this.#item, this.#opener];
    choice.closest("[popover]").hidePopover();
    if (!item.isConnected) return;
    if (what === "palette") this.openPalette(item, opener);
    else if (what === "react") this.#acts.react(item, emoji);
    else if (what === "reply" || what === "edit") this.#acts[what](item);
    else if (what === "copy-text") this.#copy(item.querySelector(".body").innerText);
    else if (what === "copy-link") this.#copy(item.querySelector(".at").href);
    else if (what === "delete") this.#delete(item);
    else this.#do(what === "pin" ? "POST" : "DELETE", `${address(item)}/pin`);
  }

  #move(event, sheet) {
    const step = steps(sheet)[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const all = choices(sheet);
    const at = all.indexOf(document.activeElement);
    const to = Math.abs(step) === Infinity ? (step < 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length;
    all[to].focus();
  }

  #delete(item) {
    const why = this.#sure.querySelector(".error");
    why.hidden = true;
    this.#sure.returnValue = "no";
    this.#sure.querySelector("blockquote").textContent = (item.querySelector(".body")?.innerText ?? gistOf(item)).slice(0, 200);
    this.#sure.onclose = () => {
      this.#sure.querySelector("blockquote").textContent = "";
      if (this.#sure.returnValue === "yes") this.#do("DELETE", address(item));
    };
    this.#sure.showModal();
  }

  async #do(method, path) {
    try {
      await call(method, path);
    } catch (error) {
      this.#acts.complain(error);
    }
  }

  async #copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyOld(text); // on plain http there is no clipboard
    }
    this.#acts.say(t("Copied."));
  }
}

const address = (item) => `/api/messages/${item.id.slice(1)}`;

/** With scripts such a link is a button that opens something. */
function opens(link, selector, what) {
  if (!link.matches(selector)) return false;
  link.setAttribute("role", "button");
  link.setAttribute("aria-haspopup", what);
  return true;
}

const choices = (sheet) => [...sheet.querySelectorAll("button, a")].filter((choice) => choice.checkVisibility());

/** By how much a key moves on: through a menu by lines, through a palette in both directions. */
function steps(sheet) {
  const sideways = getComputedStyle(sheet).direction === "rtl" ? -1 : 1;
  const inRow = sheet.getAttribute("role") === "menu" ? 1 : Math.max(1, getComputedStyle(sheet).gridTemplateColumns.split(" ").length);
  return { ArrowDown: inRow, ArrowUp: -inRow, ArrowRight: sideways, ArrowLeft: -sideways, Home: -Infinity, End: Infinity };
}

/** Beside what opened it, inside the window; narrow windows have their own place for it. */
function place(sheet, { left, right, top, bottom }) {
  const { offsetWidth: width, offsetHeight: height } = sheet;
  const x = right + width + EDGE > innerWidth ? right - width : left;
  const y = bottom + height + EDGE > innerHeight ? top - height : bottom;
  sheet.style.setProperty("--x", `${clamp(x, innerWidth - width)}px`);
  sheet.style.setProperty("--y", `${clamp(y, innerHeight - height)}px`);
}

const clamp = (value, most) => Math.max(EDGE, Math.min(value, most - EDGE));

function copyOld(text) {
  const box = document.createElement("textarea");
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}
