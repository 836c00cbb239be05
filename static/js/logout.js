/** Who logs out leaves nothing in the browser; what waits to be sent is asked about first. */

import { forgetDrafts } from "./drafts.js";
import { t, tn } from "./text.js";
import { element } from "./views.js";

/** Watches the forms that end this login. */
export function watchLogout({ outbox, me }) {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches('form[action="/logout"]')) return;
    event.preventDefault();
    leave(event.target, outbox, me);
  });
}

async function leave(form, outbox, me) {
  const n = outbox.entries().filter(({ state }) => state !== "sent").length;
  if (n && !(await isSure(n))) return;
  forgetDrafts(me);
  await outbox.clear();
  form.submit();
}

/** Whether these messages are to be given up. */
function isSure(n) {
  const title = element("h2", { id: "unsent-title", textContent: tn("{n} message was not sent yet.", "{n} messages were not sent yet.", n) });
  const hint = element("p", { className: "hint", textContent: t("What waits is kept in this browser only. If you log out now, it is deleted.") });
  const stay = element("button", { value: "no", className: "quiet", autofocus: true, textContent: t("Stay here") });
  const go = element("button", { value: "yes", className: "danger sure", textContent: t("Log out and delete") });
  const form = element("form", { method: "dialog" }, title, hint, element("p", { className: "actions" }, stay, " ", go));
  const dialog = element("dialog", { id: "unsent" }, form);
  dialog.setAttribute("aria-labelledby", title.id);
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => (dialog.remove(), resolve(dialog.returnValue === "yes")));
    dialog.showModal();
  });
}
