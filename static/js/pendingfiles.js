/** The files of a message that is on its way: how far each of them is, and what is wrong with it. */

import { lineOf, sizeOf } from "./files.js";
import { t } from "./text.js";
import { element } from "./views.js";

export class PendingFiles {
  #rows = new Map();
  #onRemove;
  list = element("ul", { className: "files", hidden: true });

  /** `onRemove(id)`: of the file that is not wanted. */
  constructor(onRemove) {
    this.#onRemove = onRemove;
  }

  /** `mayRemove`: whether one may still be taken out. */
  draw(files, mayRemove) {
    this.list.hidden = !files.length;
    for (const file of files) this.#draw(file, this.#rows.get(file.id) ?? this.#made(file), mayRemove);
  }

  end() {
    for (const { end } of this.#rows.values()) end();
  }

  #made(file) {
    const { parts, about, end } = lineOf(file);
    const bar = element("progress", { max: Math.max(1, file.size), ariaLabel: file.name });
    const why = element("span", { className: "document-why", role: "alert" });
    const remove = element("button", { type: "button", className: "quiet round" }, element("span", { className: "icon i-close" }), element("span", { className: "unseen", textContent: t("Remove {name}", { name: file.name }) }));
    remove.addEventListener("click", () => this.#onRemove(file.id));
    const item = element("li", { className: "document" }, ...parts, bar, why, remove);
    const row = { about, bar, why, remove, item, end };
    this.#rows.set(file.id, row);
    this.list.append(item);
    return row;
  }

  #draw({ size, sent = 0, attachment_id: made, upload_id: begun, code, reason }, { about, bar, why, remove, item }, mayRemove) {
    const words = code === "unreadable" ? t("This file cannot be read any more: choose it again.") : reason ?? "";
    if (why.textContent !== words) why.textContent = words;
    item.classList.toggle("wrong", Boolean(code));
    item.classList.toggle("there", Boolean(made));
    bar.hidden = Boolean(made || code);
    bar.value = sent;
    // All of it is there, and the server looks at it.
    if (sent === size && !made) bar.removeAttribute("value");
    const isUnderWay = begun && !made && !code && sent < size;
    const said = isUnderWay ? t("{sent} of {size}", { sent: sizeOf(sent), size: sizeOf(size) }) : sizeOf(size);
    if (about.textContent !== said) about.textContent = said;
    remove.hidden = !mayRemove;
  }
}
