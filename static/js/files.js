/** Files as pages show them before they are messages: a picture or a sign, the name, the size. */

import { element } from "./views.js";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];
const SHOWN = /^image\/(jpeg|png|gif|webp|avif|bmp)$/;
const language = document.documentElement.lang || undefined;

/** Bytes as people read them: "2.4 MB" (of 1,024 KB). */
export function sizeOf(bytes) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const digits = power && bytes < 10 * 1024 ** power ? 1 : 0;
  return new Intl.NumberFormat(language, { style: "unit", unit: UNITS[power], unitDisplay: "short", maximumFractionDigits: digits }).format(bytes / 1024 ** power);
}

/** What stands for `{ name, size, type, blob }` in a list; `end()` when it is not shown any more. */
export function lineOf({ name, size, type, blob }) {
  const about = element("span", { className: "document-about", textContent: sizeOf(size) });
  const { face, end } = faceOf(type, blob);
  const parts = [face, element("span", { className: "document-name" }, element("bdi", { textContent: name })), about];
  return { parts, about, end };
}

function faceOf(type, blob) {
  const sign = element("span", { className: `icon i-${kindOf(type)}` });
  if (!blob || !SHOWN.test(type)) return { face: element("span", { className: "face-of" }, sign), end: () => {} };
  const url = URL.createObjectURL(blob);
  const shown = element("img", { src: url, alt: "", decoding: "async" });
  const face = element("span", { className: "face-of" }, shown);
  shown.addEventListener("error", () => face.replaceChildren(sign));
  return { face, end: () => URL.revokeObjectURL(url) };
}

function kindOf(type = "") {
  const kind = type.split("/")[0];
  return ["image", "video", "audio"].includes(kind) ? kind : "file";
}
