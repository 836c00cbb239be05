/**
 * What real proxies were found to do, as scripted networks. Of each: its rules and line, and in each leg
 * ("all": all transports, "without": no WebSocket) where the client is to end up, and the most ms that
 * an event may take, the first one and later ones. `any`: what it ends up with does not matter.
 */

const noUpgrade = { rule: "upgradeRefused" };
const buffered = { rule: "buffers" };
const idle = (ms, how = "cut") => ({ rule: "limitsSilence", ms, how });
const holds = (ms, more = {}) => ({ rule: "limitsHolds", ms, ...more });

const FIRST_MS = 40;
const LATER_MS = 1000;

const row = (name, rules, all, without = all === "websocket" ? "stream" : all, more = {}) => ({ name, rules, ends: { all, without }, first: FIRST_MS, later: LATER_MS, latency: 5, ...more });

export const ROWS = [
  row("nothing in between", [], "websocket"),
  row("nginx with its plain proxy_pass", [noUpgrade, idle(60000), holds(60000)], "stream"),
  row("nginx that reads for 5 s", [idle(5000), holds(5000)], "websocket"),
  row("nginx that ignores X-Accel-Buffering", [noUpgrade, buffered, holds(60000)], "poll"),
  row("nginx that lets one connection through", [{ rule: "limitsConnections", most: 1, status: 503 }], "any"),
  row("nginx reloaded every 4 s", [{ rule: "reloads", everyMs: 4000 }], "any"),
  row("headers stripped", [{ rule: "stripsHeaders" }], "websocket"),
  row("HAProxy as in Debian", [{ rule: "delays", kinds: ["stream", "sse"], ms: 212 }, idle(50000), holds(50000)], "websocket"),
  row("HAProxy that refuses Upgrade", [noUpgrade, idle(50000)], "stream"),
  row("HAProxy that retries after 2 s", [idle(2000), holds(2000, { tries: 4 })], "any", "any", { later: 3000 }),
  row("Apache without its WebSocket module", [noUpgrade, idle(60000)], "stream"),
  row("Varnish with its built-in rules", [noUpgrade, { rule: "caches" }, idle(61000)], "stream"),
  row("Varnish that caches all GETs", [{ rule: "caches" }], "websocket"),
  row("Varnish that does not stream", [noUpgrade, buffered, holds(5000, { status: 503 })], "poll"),
  row("lighttpd with its buffering", [noUpgrade, buffered], "poll"),
  row("Traffic Server", [idle(31000), holds(50000)], "websocket"),
  row("all ended after 10 s", [{ rule: "limitsLife", ms: 10000 }], "any"),
  row("squid that denies CONNECT", [noUpgrade], "stream"),
  row("squid that ends bodies at 8 KB", [noUpgrade, { rule: "limitsBytes", bytes: 8192 }], "any"),
  row("squid with one connection per client, which bears a grudge", [{ rule: "limitsConnections", most: 1, status: 403, poisonMs: 120000 }, noUpgrade], "any", "any", { first: 150000, later: 150000 }),
  row("squid with one connection per client, which counts those that a browser keeps", [{ rule: "countsKept", most: 1, before: 3 }, noUpgrade], "any", "any", { first: 12000, later: 12000 }),
  row("squid with two connections per client, which counts those that a browser keeps", [{ rule: "countsKept", most: 2, before: 3 }, noUpgrade], "any", "any", { first: 12000, later: 12000 }),
  row("one connection at a time, others hang", [{ rule: "countsKept", most: 1, hangs: true, keptMs: Infinity }], "any", "any", { later: 9000 }),
  row("two connections at a time, others hang", [{ rule: "countsKept", most: 2, hangs: true, keptMs: Infinity }], "any", "any", { later: 9000 }),
  row("addresses filtered by words", [{ rule: "filtersAddresses" }], "websocket"),
  row("300 bytes a second", [noUpgrade], "any", "any", { bps: 300, first: 10000, later: 25000, everyMs: 7000 }),
  row("a virus scanner that holds back the first 1,024 bytes", [noUpgrade, { rule: "buffers", kinds: ["stream", "sse", "poll"], bytes: 1024 }], "stream"),
  row("JSON bodies refused", [noUpgrade, { rule: "refusesBodies", types: ["application/json"] }], "stream"),
  row("plain text refused as a body", [noUpgrade, { rule: "refusesBodies", types: ["text/plain"] }], "stream"),
  row("plain text and forms refused as a body", [noUpgrade, { rule: "refusesBodies", types: ["text/plain", "application/x-www-form"], status: 415 }], "stream"),
  row("tinyproxy, strict", [noUpgrade, { rule: "stripsHeaders" }, holds(5000)], "stream"),
  row("privoxy as in Debian", [{ rule: "buffers", kinds: ["sse"] }], "websocket"),
  row("privoxy with all filters", [noUpgrade, buffered, holds(5000)], "poll"),
  row("mitmproxy, which buffers bodies", [buffered], "websocket", "poll"),
  row("Upgrade hangs", [{ rule: "upgradeHangs" }], "stream"),
  row("Upgrade is refused late", [{ rule: "upgradeRefused", afterMs: 6000 }], "stream"),
  row("frames dropped both ways", [{ rule: "dropsFrames" }], "stream"),
  row("the client's frames dropped", [{ rule: "dropsFrames", down: false }], "stream"),
  row("the server's frames dropped", [{ rule: "dropsFrames", up: false }], "stream"),
  row("every fifth frame dropped", [{ rule: "losesFrames", every: 5 }], "any", "stream", { later: 9000 }),
  row("a WebSocket that dies in silence after 6 messages", [{ rule: "diesAfter", pieces: 6 }], "any", "stream", { later: 6000 }),
  row("a WebSocket that brings all 10 s late", [{ rule: "delays", kinds: ["websocket"], ms: 10000 }], "stream"),
  row("TCP swallowed after 3 s", [{ rule: "limitsLife", ms: 3000, how: "silent" }], "any", "any", { later: 8000 }),
  row("TCP swallowed after 3 s, where requests use connections again", [{ rule: "agesConnections", ms: 3000 }], "any", "any", { later: 9000 }),
  row("idle connections forgotten after 4 s, where requests use them again", [{ rule: "agesConnections", idleMs: 4000 }], "websocket", "stream", { later: 9000 }),
  row("idle connections forgotten after 1.5 s, where requests use them again", [{ rule: "agesConnections", idleMs: 1500 }], "any", "any", { later: 9000 }),
  row("idle flows forgotten after 4 s", [idle(4000, "silent")], "websocket", "stream", { later: 6000 }),
  row("RST after 2 KB", [{ rule: "limitsBytes", kinds: ["websocket", "stream", "sse", "poll", "serial"], bytes: 2048 }], "any"),
  row("5 s there and back", [], "websocket", "stream", { latency: 2500, first: 5100, later: 15100 }),
  row("cut unless the client sends within 61 s", [{ rule: "limitsSilence", kinds: ["websocket"], ms: 61000, up: true }], "websocket"),
  row("POSTs carried out four times", [noUpgrade, { rule: "repeats", times: 4 }], "stream"),
  row("bodies in other pieces", [noUpgrade, { rule: "cutsUp", bytes: 7 }], "stream"),
  row("bodies handed on in 4 KB", [noUpgrade, { rule: "clumps", bytes: 4096 }], "any", "any", { later: 6000 }),
  row("no query behind the gateway but in WebSockets", [{ rule: "stripsQuery", kinds: ["stream", "sse"] }], "websocket", "any"),
  row("no query in WebSockets", [{ rule: "stripsQuery", kinds: ["websocket"] }], "any", "stream"),
  row("streams refused", [noUpgrade, { rule: "refuses", kinds: ["stream"] }], "sse"),
  row("only the WebSocket gets through", [{ rule: "refuses", kinds: ["stream", "sse", "poll", "serial"] }], "websocket", null),
  row("only POST gets through", [noUpgrade, { rule: "refuses", kinds: ["stream", "sse", "poll"] }], "serial", "serial", { first: 3000 }),
  row("only GET gets through", [noUpgrade, { rule: "refuses", kinds: ["serial"] }], "stream", "stream", { mute: true }),
];
