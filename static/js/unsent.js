/** A message that cannot be sent is told of also where its chat is not open. */

import { t } from "./text.js";
import { tell } from "./toasts.js";
import { element, excerpt } from "./views.js";

/** `chatId`: of the chat that this page shows, which says it in its own place; or null. */
export function watchUnsent({ outbox, chatId }) {
  let waited = new Set();
  outbox.onChange(() => {
    const elsewhere = outbox.entries().filter((entry) => entry.chat_id !== chatId);
    for (const entry of elsewhere) if (entry.state === "failed" && waited.has(entry.client_id)) say(entry, outbox);
    waited = new Set(elsewhere.filter(({ state }) => state !== "failed").map((entry) => entry.client_id));
  });
}

function say({ client_id: id, content, files = [], reason }, outbox) {
  if (document.visibilityState !== "visible") return; // another tab is looked at
  const discard = element("button", { type: "button", className: "quiet", textContent: t("Discard") });
  const said = element("p", {}, element("b", { textContent: t("Your message was not sent.") }), ` ${reason ?? ""}`);
  const toast = tell(said, element("p", { className: "hint", dir: "auto", textContent: excerpt(content || files.map(({ name }) => name).join(", ")) }), element("p", {}, discard));
  discard.addEventListener("click", () => (outbox.drop(id), toast?.remove()));
}
