/** What the sharing of a connection needs of a page; a test gives an environment of its own. */

export function browserEnv() {
  return {
    SharedWorker: globalThis.SharedWorker,
    BroadcastChannel: globalThis.BroadcastChannel,
    locks: globalThis.navigator?.locks,
    language: globalThis.document?.documentElement.lang ?? "",
    visible: () => document.visibilityState !== "hidden",
    onVisible: (work) => document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && work()),
    onLife,
    onNote: (name, work) => addEventListener("storage", ({ key }) => key === name && work()),
    recall,
    note,
  };
}

/** `leave()`: the page is left or frozen. `enter()`: it is back as it was. */
function onLife({ leave, enter }) {
  addEventListener("pagehide", leave);
  addEventListener("pageshow", enter);
  document.addEventListener("freeze", leave);
  document.addEventListener("resume", enter);
}

function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage can be forbidden
  }
}

function note(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Then each page finds it out for itself.
  }
}
