/** What the sharing of a connection needs of a page; a test gives an environment of its own. */

export function browserEnv() {
  const stop = new AbortController();
  const { signal } = stop;
  return {
    end: () => stop.abort(),
    SharedWorker: globalThis.SharedWorker,
    BroadcastChannel: globalThis.BroadcastChannel,
    locks: globalThis.navigator?.locks,
    language: globalThis.document?.documentElement.lang ?? "",
    visible: () => document.visibilityState !== "hidden",
    onVisible: (work) => document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && work(), { signal }),
    onLife: (work) => onLife(work, signal),
    onNote: (name, work) => addEventListener("storage", ({ key }) => key === name && work(), { signal }),
    recall,
    note,
  };
}

/** `leave()`: the page is left or frozen. `enter()`: it is back as it was. */
function onLife({ leave, enter }, signal) {
  addEventListener("pagehide", leave, { signal });
  addEventListener("pageshow", enter, { signal });
  document.addEventListener("freeze", leave, { signal });
  document.addEventListener("resume", enter, { signal });
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
