/** Rules under which connections stand and fail: what is swallowed, cut, or dies in silence. */

const WS = ["websocket"];
const OPEN = ["websocket", "stream", "sse"];
const ALL = [...OPEN, "poll", "serial"];
const LIFE_MS = 30000; // who lives shorter is no way to rely on

export const brokenRules = {
  /** A WebSocket is accepted, and its frames go nowhere. */
  dropsFrames: ({ up = true, down = true }) => ({
    stops: WS,
    down: ({ kind }) => (kind === "websocket" && down ? (item, next) => item.is === "frame" || next(item) : null),
    up: ({ kind }) => (kind === "websocket" && up ? () => {} : null),
  }),

  /** Every k-th frame of the server is lost. */
  losesFrames: ({ every }) => ({
    stops: WS,
    down: ({ kind }) => {
      let n = 0;
      return kind === "websocket" ? (item, next) => (item.is === "frame" && (n += 1) % every === 0) || next(item) : null;
    },
  }),

  /** After so many pieces from the server nothing goes through any more, and nobody is told. */
  diesAfter: ({ kinds = WS, pieces }) => ({
    stops: kinds,
    down: (conn) => {
      let n = 0;
      if (!kinds.includes(conn.kind)) return null;
      return (item, next) => {
        if ((item.is === "frame" || item.is === "data") && (n += 1) > pieces) return conn.vanish();
        return next(item);
      };
    },
  }),

  /** A connection ends when it is so old. `how`: "end", "cut" or "silent". */
  limitsLife: ({ kinds = ALL, ms, how = "cut" }, net) => ({
    stops: kinds.filter((kind) => OPEN.includes(kind) || ms < LIFE_MS),
    opened: (conn) => kinds.includes(conn.kind) && net.clock.after(ms, () => stopIt(conn, how)),
  }),

  /**
   * Requests use connections again, as a browser's do, the one used last first; six stand from when the page
   * was loaded. One that is `ms` old, or that was silent for `idleMs`, swallows all, and nobody is told.
   */
  agesConnections: ({ ms = Infinity, idleMs = Infinity }, net) => {
    const now = () => net.clock.elapsed;
    const idle = Array.from({ length: net ? 6 : 0 }, () => ({ madeAt: now(), usedAt: now() }));
    const isDead = (line) => now() - line.madeAt >= ms || now() - line.usedAt >= idleMs;
    const lines = new Map();
    const age = (conn, line) => {
      lines.set(conn, line);
      if (isDead(line)) return conn.vanish();
      line.usedAt = now();
      return ms < Infinity && net.clock.after(line.madeAt + ms - now(), () => conn.vanish());
    };
    const stage = (conn) => (item, next) => {
      const line = lines.get(conn);
      if (isDead(line)) return conn.vanish();
      line.usedAt = now();
      if (item.is === "end" && !isNew(conn) && !/[?&]close=/.test(conn.request.url)) idle.push(line);
      return next(item);
    };
    const isNew = ({ kind }) => kind === "websocket" || kind === "probe";
    return {
      stops: ms < LIFE_MS || idleMs < 2500 ? ALL : idleMs < 12000 ? OPEN : [],
      opened: (conn) => age(conn, (!isNew(conn) && idle.pop()) || { madeAt: now(), usedAt: now() }),
      down: stage,
      up: stage,
    };
  },

  /** All are ended every so often. */
  reloads: ({ kinds = OPEN, everyMs, how = "cut" }, net) => ({
    stops: kinds,
    opened: (conn) => kinds.includes(conn.kind) && net.clock.after(everyMs - (net.clock.elapsed % everyMs), () => stopIt(conn, how)),
  }),

  /** A connection ends after so much silence; where `up`, only what the client sends counts. */
  limitsSilence: ({ kinds = OPEN, ms, how = "cut", up = false }, net) => {
    const touch = (conn) => {
      conn.cancelIdle?.();
      conn.cancelIdle = net.clock.after(ms, () => stopIt(conn, how));
    };
    const stage = (conn, counts) => (kinds.includes(conn.kind) ? (item, next) => (counts && touch(conn), next(item)) : null);
    return {
      stops: ms < 1500 ? kinds : how === "silent" && ms < 12000 ? kinds.filter((kind) => OPEN.includes(kind)) : [],
      opened: (conn) => kinds.includes(conn.kind) && touch(conn),
      down: (conn) => stage(conn, !up),
      up: (conn) => stage(conn, true),
    };
  },

  /** An answer is broken off behind so many bytes. */
  limitsBytes: ({ kinds = ["stream", "sse"], bytes, how = "cut" }) => ({
    stops: kinds,
    down: (conn) => {
      let size = 0;
      if (!kinds.includes(conn.kind)) return null;
      return (item, next) => {
        size += item.bytes?.length ?? 0;
        if (size > bytes) return stopIt(conn, how);
        return next(item);
      };
    },
  }),

  /** Some connections die in silence right after they were made. */
  swallows: ({ kinds = ALL, share }, net) => ({
    stops: kinds,
    opened: (conn) => kinds.includes(conn.kind) && net.chance.yes(share) && conn.vanish(),
  }),
};

function stopIt(conn, how) {
  if (how === "silent") conn.vanish();
  else conn.finish(how === "end");
}
