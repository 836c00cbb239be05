// Streamed bodies: whether, and how late, their events come through; and how long they may last.
// What is sent when stands in quartchat/doctor/schedule.py.

import { PATIENCE, address, ask, failure, now, options } from "./way.js";

const EVENT = /\{"k":(\d+),"at":(\d+),"end":(true|false)/g;
const LETTERS = { octet: "a", sse: "b", html: "c" };
const LAST = 3; // the number of the last short event
const LENGTH_MS = 4000;
const SURELY_PROMPT_MS = 50;
const MORE_TRIES = 2; // a busy machine is late too, but not always
const BURST_MS = 150;
const PROMPT_MS = 700;

export async function streams(measured) {
  for (const kind of Object.keys(LETTERS)) {
    let found = await onOpenConnection(kind);
    for (let tries = 0; tries < MORE_TRIES && found.delay > SURELY_PROMPT_MS; tries++) {
      const again = await onOpenConnection(kind);
      if (!again.why && again.delay < found.delay) found = again;
    }
    measured.streams[kind] = found;
  }
}

async function onOpenConnection(kind) {
  await ask("p");
  return one(kind, (await ask("p")).plain.ms);
}

async function one(kind, rtt) {
  const [url] = address("s", { kind: LETTERS[kind] });
  const began = now();
  const stop = new AbortController();
  const found = { why: "cut", status: 0, first: 0, delay: 0, held: 0, whole: false, encoding: "" };
  const timer = setTimeout(() => stop.abort(), PATIENCE + LENGTH_MS);
  try {
    const response = await fetch(url, { cache: "no-store", signal: stop.signal });
    found.status = response.status;
    if (!response.ok) return { ...found, why: response.status === 429 ? "busy" : "refused" };
    const encoding = response.headers.get("content-encoding") ?? "identity";
    found.encoding = encoding === "identity" ? "" : encoding.slice(0, 20);
    await read(response.body.getReader(), found, rtt, began);
  } catch (error) {
    found.why = found.why && failure(error);
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
  return found;
}

async function read(reader, found, rtt, began) {
  const came = new Map();
  const decoder = new TextDecoder();
  let [text, burst, ended] = ["", null, false];
  const know = () => {
    if (Math.max(...came.keys()) === LAST) {
      found.delay = Math.max(0, Math.min(...[1, 2, 3].map((k) => came.get(k))) - rtt);
      found.held = 0;
    }
    found.whole = ended;
  };
  for (;;) {
    const { done, value } = await reader.read();
    const at = now() - began;
    if (done || (burst !== null && at > burst + BURST_MS)) return burst === null ? undefined : know();
    text += decoder.decode(value, { stream: true });
    for (const [, k, sent, end] of text.matchAll(EVENT)) {
      if (!came.has(Number(k))) came.set(Number(k), at - Number(sent));
      ended = end === "true";
    }
    if (came.size && !found.first) Object.assign(found, { why: "", first: at });
    if (!came.has(LAST)) continue;
    found.held = burst === null ? value.length : found.held + value.length;
    burst ??= at;
    if (ended || (came.get(LAST) - rtt < PROMPT_MS && Math.max(...came.keys()) === LAST)) return know();
  }
}

/** A stream that is silent for so long, or says something every second. */
export async function kept(seconds, every) {
  const [url] = address("i", { seconds, every });
  const began = now();
  const found = { why: "cut", status: 0, lasted: 0 };
  const lasted = () => (now() - began) / 1000;
  try {
    const response = await fetch(url, options(seconds * 1000 + PATIENCE));
    found.status = response.status;
    if (!response.ok) return { ...found, why: response.status === 429 ? "busy" : "refused" };
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (let text = ""; ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      text = text.slice(-100) + decoder.decode(value, { stream: true });
      if (text.includes('"end":true')) return { ...found, why: "", lasted: seconds };
      found.lasted = lasted();
    }
    return { ...found, lasted: lasted() };
  } catch (error) {
    const why = failure(error);
    return why === "silent" ? { ...found, why } : { ...found, lasted: lasted() };
  }
}
