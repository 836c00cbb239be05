/** Makes the page that the server rendered live. Without this file everything still works. */

import { Announcer } from "./announce.js";
import { bell, client, lists, me, on, onState, page } from "./app.js";
import { Composer } from "./composer.js";
import { History } from "./history.js";
import { Menu } from "./menu.js";
import { Reactions } from "./reactions.js";
import { Receipts } from "./receipts.js";
import { t } from "./text.js";
import { Timeline } from "./timeline.js";
import { TypingLine } from "./typing.js";
import { gistOf, localiseAll, refresh } from "./views.js";
import { Viewer } from "./viewer.js";

const READ_EVERY_MS = 1000;

const { chatId, myKey } = page.dataset;
const here = `/c/${encodeURIComponent(chatId)}`;
const get = (id) => document.getElementById(id);
const isMember = Boolean(get("tools"));
let showsNewest = "newest" in page.dataset;

const tools = pieces();
const scroller = get("messages");
const timeline = new Timeline({
  scroller,
  list: page.querySelector(".timeline"),
  unreadLine: tools.getElementById("unread"),
  onSeen: () => seen(),
});
const announcer = new Announcer(get("news"));
const typing = get("typing") && new TypingLine(get("typing"));
const receipts = new Receipts({ timeline, key: myKey, me, receipts: JSON.parse(page.dataset.receipts ?? "null") });
const viewer = new Viewer(page.querySelector(".timeline"));
const past = new History({ scroller, timeline, onNewest: () => reached() });
lists.onUnread = () => count();
let composer = null;

/** The pieces that the server made for the scripts, as a fragment. */
function pieces() {
  const box = document.createElement("template");
  box.innerHTML = get("tools")?.textContent ?? "";
  return box.content;
}

/** The page shows the newest messages: it is live, and one can write. */
function reached() {
  showsNewest = true;
  page.querySelector(".to-newest")?.remove();
  const form = page.querySelector("form.composer:not(.join)");
  if (form) composer ??= new Composer({ form, pendingList: get("pending"), client, chatId, me, onSend: sent, onUp: editLast, onReply: replyAgain });
  receipts.draw();
  seen();
}

function sent() {
  timeline.removeUnreadLine();
  page.querySelectorAll(".stage > .notice").forEach((notice) => notice.remove());
  timeline.toEnd();
}

function editLast() {
  const mine = timeline.newestBy(myKey);
  if (mine) composer.edit(mine.id.slice(1));
}

function replyAgain(id) {
  const item = timeline.message(id);
  if (item) reply(item);
}

function complain(error) {
  if (composer) composer.complain(error);
  else announcer.say(error.message);
}

// What came and was not looked at: shown in the title, told to the server when it is read.

let unseen = 0;
let read = Number(page.dataset.unread) > 0 ? 0 : timeline.newest;
let reading = 0;

function looking() {
  return showsNewest && timeline.atEnd && document.visibilityState === "visible";
}

function count() {
  bell.messages(lists.unread + unseen);
}

function seen() {
  if (!looking()) return;
  unseen = 0;
  count();
  if (isMember && timeline.newest > read) reading ||= setTimeout(tellRead, READ_EVERY_MS);
}

function tellRead() {
  reading = 0;
  if (!looking() || client.status.state !== "live") return;
  const [before, upto] = [read, timeline.newest];
  read = upto;
  client.send("mark_read", { chat_id: chatId, event_id: upto }).catch(() => read === upto && (read = before));
}

// Events

const ofChat = (handler) => (event) => event.data.chat_id === chatId && handler(event);

on("new_message", ofChat(({ id, data, html }) => {
  const own = data.sender_id === me;
  if (own) composer?.settled.settle(data.client_id);
  else typing?.set(data.sender_id, "", false);
  if (!showsNewest) return past.ignore(id);
  const item = html && timeline.add(html, { counts: !own, unread: !own && !looking() && !unseen });
  if (own) receipts.draw();
  else if (item) announcer.message(item.querySelector(".who").textContent, gistOf(item));
  if (!own && !looking()) unseen += 1;
  seen();
  return count();
}));

on("message_edited", ofChat(({ data, html }) => {
  const mine = reactions.mine(timeline.message(data.message_id));
  if (html) timeline.replace(html);
  reactions.claim(timeline.message(data.message_id), mine);
}));

on("message_deleted", ofChat(({ data, html }) => {
  composer?.forget(data.message_id);
  announcer.forget();
  if (html) timeline.erase(data.message_id, html);
  viewer.refresh();
  receipts.draw();
  topChanged();
}));

on("message_reacted", ofChat(({ data, html }) => {
  const item = timeline.message(data.message_id);
  const mine = reactions.mine(item);
  if (data.user_id === me) mine[data.is_on ? "add" : "delete"](data.emoji);
  timeline.react(data.message_id, html);
  reactions.claim(item, mine);
}));

on("message_pinned", ofChat(({ id, data, html }) => {
  timeline.pin(data.message_id, data.is_pinned && tools.querySelector(".pinned")?.cloneNode(true));
  if (html && showsNewest) timeline.add(html, { counts: false });
  else past.ignore(id);
  topChanged();
}));

on("messages_read", ofChat(({ data }) => receipts.read(data, nameOf(data.user_id))));

on(["user_joined", "user_left"], ofChat(({ type, id, data, html }) => {
  if (type === "user_left" && data.user_id === me) return location.replace("/c?out=1");
  if (type === "user_left") receipts.gone(data.user_id);
  if (html && showsNewest) timeline.add(html, { counts: false });
  else past.ignore(id);
  return topChanged();
}));

// An account was removed: all that they said is gone, and their name.
on("user_removed", ({ data }) => {
  const theirs = `.who[href="/people/${CSS.escape(encodeURIComponent(data.user_id))}"]`;
  if (page.querySelector(`${theirs}, #members [data-user-id="${CSS.escape(data.user_id)}"]`)) location.reload();
});

on(["chat_updated", "chat_settings"], ofChat(() => topChanged()));

on(["user_online", "user_away", "user_offline"], ({ data }) => nameOf(data.user_id) && presenceChanged());

on(["user_typing", "user_stopped_typing"], ofChat(({ type, data }) => {
  if (data.user_id === me) return;
  typing?.set(data.user_id, data.name ?? nameOf(data.user_id) ?? t("Somebody"), type === "user_typing");
}));

on(["system_message", "global_notification"], ({ data, html }) => {
  const meant = !data.chat_id || data.chat_id === chatId;
  if (meant && html && showsNewest) timeline.add(html);
});

function nameOf(userId) {
  return document.querySelector(`#members [data-user-id="${CSS.escape(userId)}"] .name`)?.textContent;
}

/** Many changes at once lead to one request. */
function soon(work, ms) {
  let timer = 0;
  return () => (timer ||= setTimeout(() => ((timer = 0), work()), ms));
}

/** The head of the chat as the server shows it now; not under the hand of who uses it. */
function drawTop() {
  const inUse = get("members")?.contains(document.activeElement);
  const parts = [".chat-face", ".chat-name", "#pins", ...(inUse ? [] : ["#members"])];
  if (isMember) refresh(parts, `${here}/head`).then(() => localiseAll(page));
}

const topChanged = soon(drawTop, 500);
const presenceChanged = soon(drawTop, 3000);

// The connection comes back by itself, and says so.
get("reload")?.remove();

onState(({ state }) => state === "live" && seen());

// The page's own links, done in place where that is possible.

const reactions = new Reactions({ page, key: myKey, onError: complain });
const menu = isMember && "showPopover" in HTMLElement.prototype
  ? new Menu({ tools, page, key: myKey, acts: { reply, edit, react: (item, emoji) => reactions.toggle(item, emoji), say: (text) => announcer.say(text), complain } })
  : null;

function reply(item) {
  if (!composer) return location.assign(item.querySelector(".acts .reply").href);
  const name = item.querySelector(".who").textContent;
  return composer.replyTo({ id: item.id.slice(1), name, text: gistOf(item) });
}

function edit(item) {
  if (composer) composer.edit(item.id.slice(1));
  else location.assign(`${item.querySelector(".acts .more").href}#edit`);
}

page.addEventListener("click", (event) => {
  const link = event.target.closest?.(".acts a, a.reaction, .quote a, a.at, .pin, .note a, .first-unread a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (done(link, link.closest(".msg"))) event.preventDefault();
});

/** Whether what the link leads to was done here. */
function done(link, item) {
  if (link.matches(".reply")) return Boolean(composer) && (reply(item), true);
  if (link.matches(".more")) return Boolean(menu) && (menu.open(item, link), true);
  if (link.matches(".react")) return Boolean(menu) && (menu.openPalette(item, link), true);
  if (link.matches(".reaction")) return isMember && (reactions.toggle(item, link.dataset.emoji), true);
  const shown = timeline.show(link.hash.slice(1));
  if (shown) history.replaceState(null, "", link.hash);
  if (link.closest(".first-unread")) link.closest(".notice").hidden = shown;
  return shown;
}

document.addEventListener("click", ({ target }) => {
  for (const open of page.querySelectorAll("details[open]")) if (!open.contains(target)) open.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  for (const open of page.querySelectorAll("details[open]")) {
    open.open = false;
    if (open.contains(document.activeElement)) open.querySelector("summary").focus();
  }
});

document.addEventListener("visibilitychange", seen);

if (showsNewest) reached();
const focus = /^#m\d+$/.test(location.hash) && location.hash.slice(1);
if (!(focus && timeline.show(focus)) && timeline.showUnread()) get("messages").dispatchEvent(new Event("scroll"));
const notice = page.querySelector(".first-unread");
if (notice && page.querySelector(".timeline > .unread-line")) notice.hidden = true;
count();
