/* Runs before the page's own scripts: notes what came, what was shown and by which way, and when. */
(() => {
  if (!location.pathname.split("/").includes(CHAT)) return; // the page of another leg, or a frame
  begin();
  let client;
  const notes = { events: [], shown: [], ways: [] };
  const way = () => {
    const { state, transport } = client.status;
    const now = `${state ?? ""} ${transport ?? ""}`;
    if (notes.ways.at(-1)?.[0] !== now) notes.ways.push([now, Date.now()]);
  };
  const timeline = () => [...document.querySelectorAll(".timeline:not(.pending) > .msg")].map((item) => Number(item.dataset.eventId));
  const pending = () => [...document.querySelectorAll("#pending .msg")].map((item) => item.textContent.trim().slice(0, 200));

  /** A leg begins without memory of the one before, and without its unsent messages; a page that loads itself anew keeps them. */
  function begin() {
    if (localStorage.getItem("gauntlet") === CHAT) return;
    localStorage.clear();
    sessionStorage.clear();
    indexedDB.deleteDatabase(`quartchat ${location.origin}/`);
    localStorage.setItem("gauntlet", CHAT);
    if (TRANSPORTS) localStorage.setItem("qc_transports", TRANSPORTS);
  }

  Object.defineProperty(window, "quartchat", {
    configurable: true,
    get: () => client,
    set(made) {
      client = made;
      made.on("*", (event) => notes.events.push([event.id ?? null, event.type, event.data?.message_id ?? null]));
      made.on("status", way);
      way();
    },
  });
  addEventListener("DOMContentLoaded", () => {
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes)
        for (const node of addedNodes) {
          const id = node.nodeType === 1 && node.matches(".timeline:not(.pending) > .msg") && node.dataset.eventId;
          if (id) notes.shown.push([Number(id), Date.now()]);
        }
    }).observe(document, { childList: true, subtree: true });
  });
  window.__write = (text) => {
    const field = document.getElementById("write");
    field.value = text;
    field.form.requestSubmit();
  };
  /** Whether these events are shown and nothing waits to be sent, as soon as it is so, or after `ms`. */
  window.__shows = (ids, ms) =>
    new Promise((resolve) => {
      const isSo = () => {
        const shown = new Set(timeline());
        return !pending().length && ids.every((id) => shown.has(id));
      };
      if (isSo()) return resolve(true);
      const end = (was) => (watch.disconnect(), clearTimeout(timer), resolve(was));
      const watch = new MutationObserver(() => isSo() && end(true));
      const timer = setTimeout(() => end(false), ms);
      return watch.observe(document, { childList: true, subtree: true });
    });
  window.__allMade = () => JSON.stringify(self.__made);
  window.__told = () =>
    JSON.stringify({
      ...notes,
      url: location.pathname,
      timeline: timeline(),
      pending: pending(),
      status: client?.status ?? null,
      state: document.getElementById("state")?.textContent.trim() ?? "",
      client: Boolean(client),
    });
  /** Milliseconds until a connection of its own, without memory, brings the first message after `cursor`; null: not within `limit`. */
  window.__first = async (script, cursor, limit) => {
    const { connect } = await import(new URL(script, location.href).href);
    localStorage.removeItem("quartchat-memory");
    const began = performance.now();
    const own = connect({ cursor, html: true, mode: "alone", transports: TRANSPORTS ? TRANSPORTS.split(",") : null });
    const came = await new Promise((resolve) => {
      own.on("new_message", () => resolve(performance.now() - began));
      setTimeout(() => resolve(null), limit);
    });
    own.close();
    return came;
  };
})();
