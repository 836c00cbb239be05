/** Makes the page that the server rendered live. Without this file everything still works. */

import { call, logIn, renew } from "./api.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Timeline } from "./timeline.js";
import { transports } from "./transports.js";
import { ChatList, TypingLine, refresh, showState } from "./views.js";

const READ_EVERY_MS = 1000;

const page = document.querySelector("main");
const { chatId = null, me, cursor } = page.dataset;
const showsNewest = "newest" in page.dataset;
const api = `/api/chats/${encodeURIComponent(chatId)}`;
const get = (id) => document.getElementById(id);

const chats = new ChatList({ me, current: chatId });
const timeline = chatId && new Timeline({
  scroller: get("messages"),
  list: page.querySelector(".timeline"),
  onSeen: () => seen(),
});
const typing = get("typing") && new TypingLine(get("typing"));
const form = page.querySelector("form.composer:not(.join)");
const composer = form && showsNewest
  ? new Composer({ form, pendingList: get("pending"), chat: api, onSend: () => timeline.toEnd() })
  : null;

// What came and was not looked at: shown in the title, told to the server when it is read.

const title = document.title;
let unseen = 0;
let read = Number(page.dataset.unread) > 0 ? 0 : timeline?.newest ?? 0;
let reading = 0;

function looking() {
  return showsNewest && timeline.atEnd && document.visibilityState === "visible";
}

function showTitle() {
  const count = chats.unread + unseen;
  const text = count ? `(${count}) ${title}` : title;
  if (document.title !== text) document.title = text;
}

function seen() {
  if (!chatId || !looking()) return;
  unseen = 0;
  showTitle();
  if (timeline.newest > read) reading ||= setTimeout(tellRead, READ_EVERY_MS);
}

function tellRead() {
  reading = 0;
  if (!looking()) return;
  read = timeline.newest;
  call("POST", `${api}/read`, { event_id: read }).catch(() => {});
}

// Events

function onMessage({ data, html }) {
  const here = data.chat_id === chatId;
  const own = data.sender_id === me;
  if (here && showsNewest) {
    if (html) timeline.add(html, { counts: !own });
    if (own) composer?.settle(data.client_id);
    else typing?.set(data.sender_id, "", false);
    get("empty")?.remove();
    if (!own && !looking()) unseen += 1;
    seen();
  }
  if (!chats.message(data, { unread: !own && !here })) chatsChanged();
}

function onPeople({ data, html }) {
  if (data.user_id === me) chatsChanged();
  if (data.chat_id !== chatId) return;
  if (html && showsNewest) timeline.add(html, { counts: false });
  membersChanged();
}

function onTyping({ type, data }) {
  if (data.chat_id !== chatId || data.user_id === me) return;
  const row = document.querySelector(`#members [data-user-id="${CSS.escape(data.user_id)}"] .name`);
  typing?.set(data.user_id, data.name ?? row?.textContent ?? "Somebody", type === "user_typing");
}

function onNotice({ data, html }) {
  const meant = !data.chat_id || data.chat_id === chatId;
  if (meant && html && timeline && showsNewest) timeline.add(html);
}

const handlers = {
  new_message: onMessage,
  user_joined: onPeople,
  user_left(event) {
    if (event.data.user_id === me && event.data.chat_id === chatId) location.replace("/chats?out=1");
    else onPeople(event);
  },
  chat_created: () => chatsChanged(),
  chat_updated: () => chatsChanged(),
  messages_read: ({ data }) => data.user_id === me && chats.read(data.chat_id),
  user_typing: onTyping,
  user_stopped_typing: onTyping,
  system_message: onNotice,
  global_notification: onNotice,
};

/** Many changes at once lead to one request. */
function soon(work, ms = 500) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, ms);
  };
}

const chatsChanged = soon(() => chats.reload().then(showTitle));
const membersChanged = soon(() => refresh(["#members", "#about"], location.href));

const connection = new Connection({
  cursor: Number(cursor),
  transports,
  renew,
  onEvent(event) {
    handlers[event.type]?.(event);
    showTitle();
  },
  onState(state) {
    showState(get("state"), get("reload"), state);
    if (state.state === "live") composer?.retryAll();
  },
  onReset: () => location.reload(),
  onLoggedOut: logIn,
});

// The page's own links, done in place where that is possible.

page.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.reply, .quote a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const item = link.closest(".msg");
  if (link.matches(".reply") && composer) {
    event.preventDefault();
    const name = item.querySelector(".who").textContent;
    composer.replyTo({ id: item.id.slice(1), name, text: item.querySelector(".body").textContent });
  } else if (link.matches(".quote a") && timeline.show(link.hash.slice(1))) {
    event.preventDefault();
  }
});

document.addEventListener("click", ({ target }) => {
  const panel = get("members");
  if (panel?.open && !panel.contains(target)) panel.open = false;
});

document.addEventListener("keydown", ({ key }) => {
  const panel = get("members");
  if (key !== "Escape" || !panel?.open) return;
  panel.open = false;
  panel.querySelector("summary").focus();
});

document.addEventListener("visibilitychange", seen);

const focus = page.querySelector("[data-focus]")?.dataset.focus;
if (focus) timeline.show(focus);
showTitle();
seen();
connection.start();
