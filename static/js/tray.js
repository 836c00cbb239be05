/** Files that are chosen for the next message: by the button, dropped on the chat, or pasted. */

import { lineOf, sizeOf } from "./files.js";
import { t, tn } from "./text.js";
import { element } from "./views.js";

export class Tray {
  #input;
  #mostBytes;
  #mostFiles;
  #onChange;
  #rows = []; // { file, item, why, end }
  #list = element("ul", { className: "tray", ariaLabel: t("Files to be sent"), hidden: true });
  #news = element("p", { className: "unseen", role: "status" });

  /** `onChange()`: others are chosen now. `onRefused(text)`: something that cannot be sent at all. */
  constructor({ form, zone, onChange, onRefused }) {
    this.#input = form.elements.file;
    this.#mostBytes = Number(form.dataset.maxUpload) || Infinity;
    this.#mostFiles = Number(form.dataset.maxFiles) || Infinity;
    this.#onChange = onChange;
    form.querySelector(".write").before(this.#list, this.#news);
    this.#input.addEventListener("change", () => this.#picked());
    form.elements.content.addEventListener("paste", (event) => this.#pasted(event));
    new Zone(zone, (files) => this.add(files), () => onRefused(t("Folders cannot be sent: choose the files in them.")));
    if (this.#input.files.length) this.#picked(); // chosen before this script came
  }

  get files() {
    return this.#rows.map(({ file }) => file);
  }

  /** Whether something in it cannot be sent. */
  get isWrong() {
    return this.#rows.some(({ why }) => why.textContent);
  }

  add(files) {
    for (const file of files) this.#show(file);
    this.#changed();
    this.#rows.at(-1)?.item.scrollIntoView({ block: "nearest" });
    if (files.length) this.#news.textContent = files.length === 1 ? t("{name} was added.", { name: files[0].name }) : tn("{n} file was added.", "{n} files were added.", files.length);
  }

  /** What is in it; it is empty then. */
  take() {
    const { files } = this;
    this.#rows.forEach(({ end }) => end());
    this.#rows = [];
    this.#list.replaceChildren();
    this.#news.textContent = "";
    this.#changed();
    return files;
  }

  /** The first file that cannot be sent. */
  focusWrong() {
    this.#rows.find(({ why }) => why.textContent)?.item.querySelector("button").focus();
  }

  #picked() {
    this.add([...this.#input.files]);
    this.#input.value = "";
  }

  /** Pictures and files; where there is text as well, as from an office program, that is what is meant. */
  #pasted(event) {
    const { files, types } = event.clipboardData;
    if (!files.length || types.includes("text/plain")) return;
    event.preventDefault();
    this.add([...files]);
  }

  #show(file) {
    const { parts, end } = lineOf({ name: file.name, size: file.size, type: file.type, blob: file });
    const why = element("span", { className: "document-why", role: "alert" });
    const remove = element("button", { type: "button", className: "quiet round" }, element("span", { className: "icon i-close" }), element("span", { className: "unseen", textContent: t("Remove {name}", { name: file.name }) }));
    const item = element("li", { className: "document" }, ...parts, why, remove);
    const row = { file, item, why, end };
    remove.addEventListener("click", () => this.#remove(row));
    this.#rows.push(row);
    this.#list.append(item);
  }

  #remove(row) {
    const at = this.#rows.indexOf(row);
    this.#rows.splice(at, 1);
    row.end();
    row.item.remove();
    this.#news.textContent = t("{name} was removed.", { name: row.file.name });
    this.#changed();
    (this.#rows[at] ?? this.#rows[at - 1])?.item.querySelector("button").focus();
    if (!this.#rows.length) this.#input.focus();
  }

  #changed() {
    this.#rows.forEach((row, at) => {
      const why = this.#wrong(row.file, at);
      if (row.why.textContent !== why) row.why.textContent = why;
      row.item.classList.toggle("wrong", Boolean(why));
    });
    this.#list.hidden = !this.#rows.length;
    this.#onChange();
  }

  #wrong({ size }, at) {
    if (!size) return t("This file is empty.");
    if (size > this.#mostBytes) return t("Too large: {most} at most.", { most: sizeOf(this.#mostBytes) });
    return at < this.#mostFiles ? "" : tn("One too many: {n} file in a message at most.", "One too many: {n} files in a message at most.", this.#mostFiles);
  }
}

/** Where files can be dropped: it says so while one holds them over the page. */
class Zone {
  #sign = element("div", { className: "drop", hidden: true }, element("p", {}, element("span", { className: "icon i-attach" }), ` ${t("Drop the files here to send them")}`));
  #depth = 0;

  constructor(place, onFiles, onFolder) {
    place.append(this.#sign);
    document.addEventListener("dragenter", (event) => hasFiles(event) && this.#over(1));
    document.addEventListener("dragleave", (event) => hasFiles(event) && this.#over(-1));
    // Beside the place, too: the browser would open the file in place of the page.
    document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    document.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.#over(-this.#depth);
      const { files, folders } = sorted(event.dataTransfer);
      onFiles(files);
      if (folders) onFolder();
    });
  }

  #over(step) {
    this.#depth = Math.max(0, this.#depth + step);
    this.#sign.hidden = this.#depth === 0;
  }
}

function hasFiles({ dataTransfer }) {
  return Boolean(dataTransfer?.types.includes("Files"));
}

function sorted({ items, files }) {
  const isFolder = [...items].filter(({ kind }) => kind === "file").map((item) => Boolean(item.webkitGetAsEntry?.()?.isDirectory));
  return { files: [...files].filter((_, at) => !isFolder[at]), folders: isFolder.filter(Boolean).length };
}
