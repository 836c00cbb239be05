/* Runs before the page's own scripts: notes what came, what was shown and by which way, and when. */
(() => {
  try {
    if (TRANSPORTS) localStorage.setItem("qc_transports", TRANSPORTS);
    else localStorage.removeItem("qc_transports");
  } catch {
    return; // a frame without an origin
  }
  let client;
  const notes = { began: 0, events: [], shown: [], ways: [], requests: 0 };
  const way = () => {
    const status = client?.status ?? {};
    const now = `${status.state ?? ""} ${status.transport ?? ""}`;
    if (client && notes.ways.at(-1)?.[0] !== now) notes.ways.push([now, Date.now()]);
  };
  window.__notes = notes;
  Object.defineProperty(window, "quartchat", {
    configurable: true,
    get: () => client,
    set(made) {
      client = made;
      notes.began ||= Date.now();
      made.on("*", (event) => notes.events.push([event.id ?? null, event.type, event.data?.message_id ?? null]));
      setInterval(way, 100);
    },
  });
  addEventListener("DOMContentLoaded", () => {
    notes.began ||= Date.now();
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
  window.__told = () => {
    way();
    const kept = document.querySelectorAll(".timeline:not(.pending) > .msg");
    return JSON.stringify({
      ...notes,
      url: location.pathname,
      timeline: [...kept].map((item) => Number(item.dataset.eventId)),
      pending: [...document.querySelectorAll("#pending .msg")].map((item) => item.textContent.trim().slice(0, 200)),
      status: client?.status ?? null,
      state: document.getElementById("state")?.textContent.trim() ?? "",
      client: Boolean(client),
    });
  };
})();
