/** Small tools of all that shows something: elements, times, and the server's own fragments. */

const language = document.documentElement.lang || undefined;
const form = (options) => new Intl.DateTimeFormat(language, options);

export const clock = form({ hour: "2-digit", minute: "2-digit" });
export const exact = form({ dateStyle: "full", timeStyle: "medium" });
const dayMonth = form({ day: "numeric", month: "short" });
const shortDate = form({ dateStyle: "medium" });
export const moment = form({ dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Whether requests that nobody waits for are better not made now. */
export const calm = { isWanted: () => false };

/** A page or a fragment of one, as the server renders it now; null if it cannot be had. `unasked`: nobody waits for it. */
export async function ask(url, { unasked = false } = {}) {
  if (unasked && calm.isWanted()) return null;
  const answer = await fetch(url, { cache: "no-store" }).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Replaces elements by their newer selves from another rendering of the page. */
export async function refresh(selectors, url) {
  const page = await ask(url, { unasked: true });
  return page ? selectors.map((selector) => replace(selector, page)).every(Boolean) : false;
}

function replace(selector, page) {
  const fresh = page.querySelector(selector);
  const stale = document.querySelector(selector);
  if (!fresh || !stale) return false;
  if (stale.open) fresh.open = true;
  const focused = stale.contains(document.activeElement) ? document.activeElement : null;
  localiseAll(fresh);
  stale.replaceWith(fresh);
  if (focused) refocus(focused, fresh);
  return true;
}

/** The focus goes to what stands for the one that had it. */
function refocus(focused, fresh) {
  const name = focused.id ? `#${CSS.escape(focused.id)}` : focused.getAttribute("href") && `a[href="${CSS.escape(focused.getAttribute("href"))}"]`;
  const same = name && (fresh.matches(name) ? fresh : fresh.querySelector(name));
  same?.focus({ preventScroll: true });
}

/** Times in a list in the reader's own zone: today the hour, else the day. */
export function localiseAll(root) {
  root.querySelectorAll(".stamp time").forEach(localise);
  root.querySelectorAll(".moment time").forEach(tell);
}

function localise(time) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.valueOf())) return;
  const now = new Date();
  const today = at.toDateString() === now.toDateString();
  const thisYear = at.getFullYear() === now.getFullYear();
  time.textContent = (today ? clock : thisYear ? dayMonth : shortDate).format(at);
  time.title = exact.format(at);
}

/** "5 minutes ago" while that helps; then the date. */
function tell(time) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.valueOf())) return;
  const minutes = Math.round((at - Date.now()) / 60000);
  if (minutes > 1) time.textContent = moment.format(at);
  else if (minutes > -60) time.textContent = relative.format(Math.min(0, minutes), "minute");
  else if (minutes > -24 * 60) time.textContent = relative.format(Math.round(minutes / 60), "hour");
  else time.textContent = moment.format(at);
  time.title = exact.format(at);
}

/** What a message says, or the names of its files. */
export function gistOf(item) {
  const said = item.querySelector(".body")?.textContent.trim();
  return said || [...item.querySelectorAll(".files :is([data-name], .document-name)")].map((one) => one.dataset.name ?? one.textContent).join(", ");
}

export function excerpt(text) {
  return (text ?? "").slice(0, 120).replace(/\s+/g, " ");
}
