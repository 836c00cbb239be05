/** What happens to a page, told to whoever holds the connection. What leaves and comes back joins anew (tabs.js). */

const SIGNS = [
  [window, "online", () => "online"],
  [window, "offline", () => "offline"],
  [document, "visibilitychange", () => (document.visibilityState === "visible" ? "visible" : "hidden")],
  [window, "pageshow", ({ persisted }) => persisted && "resumed"],
  [document, "resume", () => "resumed"],
];

/** Calls `tell(what)`: "online", "offline", "visible", "hidden" or "resumed". Returns what ends it. */
export function watchLife(tell) {
  const stop = new AbortController();
  for (const [target, name, what] of SIGNS) target.addEventListener(name, (event) => what(event) && tell(what(event)), { signal: stop.signal });
  return () => stop.abort();
}
