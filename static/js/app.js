/**
 * Every page of somebody who is logged in: one connection, and what it changes around the page.
 *
 * A page of its own kind imports `on` and `onState` and says what else is to happen.
 */

import { logIn } from "./api.js";
import { Bell } from "./bell.js";
import { connect } from "./client/connect.js";
import { Lists } from "./lists.js";
import { watchLogout } from "./logout.js";
import { StateLine } from "./state.js";
import { announce, toast } from "./toasts.js";
import { watchUnsent } from "./unsent.js";
import { calm, localiseAll } from "./views.js";

const ACTIVE_EVERY_MS = 60000;

export const page = document.querySelector("main");
export const me = document.body.dataset.me;

/** The connection of this page; also for the curious, in the console. */
export const client = connect({ cursor: Number(page.dataset.cursor), html: true, user: me, transports: allowed() });
window.quartchat = client;
try {
  sessionStorage.removeItem("qc_again"); // again.js: the page's script is here
} catch {
  // Nothing is kept here.
}

/** `handler(event)` for each event of these types, in order. */
export function on(types, handler) {
  for (const type of [types].flat()) client.on(type, handler);
}

/** `watcher(status)` whenever the state of the connection changes. */
export function onState(watcher) {
  client.on("status", watcher);
}

// Where requests must go one by one, one of the page's own would be refused, and what comes with it.
calm.isWanted = () => client.status.transport === "serial";

client.on("reset", () => location.reload());
// Somebody else may be logged in by now: then this page is not theirs.
client.on("over", ({ reason }) => (reason === "other_user" ? location.assign("/c") : logIn()));

/** Where one wants to do without some transports: their names, as in `localStorage.qc_transports = "stream,poll"`. */
function allowed() {
  try {
    return localStorage.getItem("qc_transports")?.split(",").map((name) => name.trim()) ?? null;
  } catch {
    return null; // storage can be forbidden
  }
}

export const bell = new Bell();
export const lists = new Lists({ me, current: page.dataset.chatId ?? null });
const line = new StateLine(document.getElementById("state"), () => client.wake({ anew: true }));

onState((status) => line.show(status));
watchLogout({ outbox: client.outbox, me });
watchUnsent({ outbox: client.outbox, chatId: page.dataset.chatId ?? null });

on("notification", (event) => {
  bell.changed();
  if (!watched(event.data)) toast(event.data);
});
on("global_notification", ({ html }) => announce(html));
on("notifications_read", ({ data }) => bell.set(data.unread));
on(["new_message", "message_edited"], ({ data }) => lists.changed(data.chat_id));
on("message_deleted", ({ data }) => lists.deleted(data));
on("messages_read", ({ data }) => data.user_id === me && lists.changed(data.chat_id));
on(["chat_updated", "chat_settings"], ({ data }) => lists.changed(data.chat_id));
on(["user_joined", "user_left"], ({ data }) => data.user_id === me && lists.reload());
on(["chat_created", "user_updated"], () => lists.reload());
on(["user_online", "user_away", "user_offline"], ({ data }) => lists.presence(data.user_id));
on(["friend_updated", "user_updated", "notification", "notifications_read"], () => lists.refreshLive());

/** What the reader looks at needs no toast. */
function watched(data) {
  return document.visibilityState === "visible" && data.chat_id === page.dataset.chatId && data.chat_id;
}

// Menus close as one expects of menus; links to be passed on are selected whole.

document.addEventListener("click", ({ target }) => {
  for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
});

document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("focusin", ({ target }) => target.matches("input.copy") && target.select());

function openMenus() {
  return document.querySelectorAll("details.menu[open]");
}

lists.onUnread = (unread) => bell.messages(unread);
bell.messages(lists.unread);
localiseAll(document);

// The server counts somebody as away who has not stirred for a while.

let told = 0;

function stirred() {
  if (Date.now() - told < ACTIVE_EVERY_MS) return;
  if (calm.isWanted()) return;
  told = Date.now();
  fetch("/api/presence", { method: "POST" }).catch(() => {});
}

for (const sign of ["pointerdown", "keydown", "wheel", "focus"]) addEventListener(sign, stirred, { passive: true });
