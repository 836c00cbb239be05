// A whole round of probes, as quartchat/doctor/measured.py has it.

import { t } from "../text.js";
import { kept as keptSocket, socket } from "./sockets.js";
import { kept as keptStream, streams } from "./streams.js";
import { PATIENCE, address, ask, askTwice, options, wait } from "./way.js";

const SENT = { Authorization: "Bearer probe", "Last-Event-ID": "7", "X-Probe": "7" };
const BODIES = {
  text: ["text/plain;charset=UTF-8", '{"probe":"1"}'],
  json: ["application/json", '{"probe":"1"}'],
  form: ["application/x-www-form-urlencoded", "probe=1"],
};
const WORDS = ["chat", "ws", "socket", "sse", "event", "stream", "poll", "live", "message", "api"];
const SIZES = { up: [48000, 16000, 8000, 4000, 1000], down: [64000, 32000, 16000, 8000, 4000, 1000], url: [4000, 2000, 1000] };
const TYPES = { octet: ["a", "application/octet-stream"], html: ["c", "text/html"] };
const PAGE_BYTES = 1008;
const SLOW_POST = 10;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const isBad = ({ plain }) => plain.why !== "" && plain.why !== "busy";

/** `seconds`: how long silence is tried, 0: not at all; `say(line)` is told what comes next. */
export async function measure({ seconds, say }) {
  const m = { url: location.origin, by: "browser", is_whole: false, posts: {}, streams: {}, limits: {}, idle: {}, changed: [] };
  m.socket = m.poll = m.parallel = { why: "untried" };
  say(t("Is anybody there?"));
  if (await ping(m)) await everything(m, seconds, say);
  m.is_whole = true;
  return m;
}

async function everything(m, seconds, say) {
  say(t("WebSocket …"));
  m.socket = await socket();
  say(t("Requests …"));
  await poll(m);
  await posts(m);
  say(t("Streams …"));
  await streams(m);
  say(t("Caches, filters, limits …"));
  await cache(m);
  await words(m);
  await unchanged(m);
  await sizes(m);
  say(t("Several at once …"));
  await together(m);
  if (!seconds) return;
  say(t("Silence: {seconds} s …", { seconds }));
  await idle(m, seconds);
}

async function ping(m) {
  const first = await askTwice("p", { headers: SENT });
  m.ping = first.problem && first.plain.why === "refused" ? { ...first.plain, why: "changed" } : first.plain;
  if (first.plain.why) {
    if (["refused", "html", "changed"].includes(first.plain.why)) await posts(m);
    return false;
  }
  m.lost = [...Object.keys(SENT), "Cookie"].filter((name) => !first.data.got.includes(name));
  m.seen = first.data.seen;
  m.http = (performance.getEntriesByType("navigation")[0]?.nextHopProtocol ?? "").replace("http/", "").replace("h2", "2").replace("h3", "3");
  const more = [];
  for (let count = 0; count < 4; count++) more.push(await ask("p"));
  Object.assign(m, { asked: more.length, failed: more.filter(isBad).length });
  m.rtt = median(more.filter((one) => !isBad(one)).map(({ plain }) => plain.ms)) ?? first.plain.ms;
  return true;
}

async function posts(m) {
  for (const [name, [type, body]] of Object.entries(BODIES)) {
    const { plain, data } = await askTwice("p", { method: "POST", headers: { "Content-Type": type }, body });
    m.posts[name] = !plain.why && data.bytes !== body.length ? { ...plain, why: "changed" } : plain;
    if (data.own === false) m.own = false;
  }
}

async function poll(m) {
  const held = await askTwice("h", { query: { seconds: 1 } });
  m.poll = held.plain.why ? held.plain : (await ask("h", { query: { seconds: 0 } })).plain;
}

async function cache(m) {
  const id = async (query) => {
    try {
      return (await (await fetch(`/t/d/c${query}`, options(PATIENCE))).json()).id ?? "";
    } catch {
      return "";
    }
  };
  const [one, again, other, another] = [await id(""), await id(""), await id("?n=1"), await id("?n=2")];
  if (one && one === again) m.cached = "same";
  if (other && (other === one || other === another)) m.cached = "always";
}

async function words(m) {
  if (!isBad(await askTwice(`a/${WORDS.join("-")}`))) return;
  m.words = [];
  for (const word of WORDS) if (isBad(await askTwice(`a/${word}`))) m.words.push(word);
}

/** An answer of a known length: "" if it is that, else what is wrong. */
async function bytes(size, kind = "octet") {
  const [letter, type] = TYPES[kind];
  const [url] = address("b", { bytes: size, kind: letter });
  try {
    const response = await fetch(url, options(PATIENCE));
    if (!response.ok) return response.status === 429 ? "busy" : "refused";
    const body = await response.arrayBuffer();
    return body.byteLength === size && response.headers.get("content-type")?.startsWith(type) ? "" : "changed";
  } catch {
    return "cut";
  }
}

async function unchanged(m) {
  for (const kind of Object.keys(TYPES))
    if ((await bytes(PAGE_BYTES, kind)) === "changed" && (await bytes(PAGE_BYTES, kind)) === "changed") m.changed.push(kind);
}

async function sizes(m) {
  const kind = Object.keys(BODIES).find((name) => !m.posts[name].why);
  const isAnswered = (answer) => !answer.plain.why || answer.problem;
  const post = (size) => ({ method: "POST", headers: { "Content-Type": BODIES[kind][0] }, body: "x".repeat(size) });
  const tries = {
    up: async (size) => isAnswered(await askTwice("p", post(size))),
    down: async (size) => ["", "busy"].includes(await bytes(size)) || ["", "busy"].includes(await bytes(size)),
    url: async (size) => isAnswered(await askTwice("p", { query: { x: "x".repeat(size) } })),
  };
  for (const [name, passes] of Object.entries(tries)) if (name !== "up" || kind) m.limits[name] = await largest(SIZES[name], passes);
}

async function largest(sizes, passes) {
  let failed = 0;
  for (const size of sizes) {
    if (await passes(size)) return { passed: size, failed };
    failed = size;
  }
  return { passed: 0, failed };
}

async function together(m) {
  const waiting = ask("h", { query: { seconds: 1 } });
  await wait(250);
  const beside = await Promise.all([ask("p"), ask("p"), ask("p")]);
  const held = await waiting;
  const answers = m.poll.why ? beside : [...beside, held];
  m.parallel = (answers.find(isBad) ?? answers[0]).plain;
}

async function idle(m, seconds) {
  m.seconds = seconds;
  const keep = async (name, kept) => (m.idle[name] = await kept);
  const kept = [keep("hold", hold(seconds))];
  if (!m.parallel.why) {
    kept.push(slowPost(m, seconds));
    if (!m.streams.octet.why && !m.streams.octet.held) kept.push(keep("stream", keptStream(seconds, 0)), keep("beats", keptStream(seconds, 1)));
    if (!m.socket.why) kept.push(keep("socket", keptSocket(seconds, false)), keep("pings", keptSocket(seconds, true)));
  }
  await Promise.all(kept);
}

async function hold(seconds) {
  const { plain } = await ask("h", { query: { seconds }, patience: seconds * 1000 + PATIENCE });
  return { why: plain.why === "unreachable" ? "cut" : plain.why, status: plain.status, lasted: plain.why ? plain.ms / 1000 : seconds };
}

async function slowPost(m, seconds) {
  const [url, name] = address("h", { seconds: Math.min(seconds, SLOW_POST) });
  await fetch(url, options(SLOW_POST * 1000 + PATIENCE, { method: "POST" })).catch(() => {});
  m.repeated = (await ask("n", { query: { n: name } })).data.times ?? 0;
}
