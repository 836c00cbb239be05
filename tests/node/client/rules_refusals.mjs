/** Rules that answer in the server's place, or let nobody through. */

const WS = ["websocket"];
const ALL = ["websocket", "stream", "sse", "poll", "serial"];
const LONGEST = 8192;
const PAGE = "<!doctype html><title>Welcome</title><form action=/login>Accept our terms</form>";

export const refusalRules = {
  /** The handshake of a WebSocket is answered with something else. */
  upgradeRefused: ({ afterMs = 0 }) => ({ stops: WS, admit: ({ kind }) => (kind === "websocket" ? { status: 403, afterMs } : null) }),

  /** The handshake is never answered. */
  upgradeHangs: () => ({ stops: WS, admit: ({ kind }) => (kind === "websocket" ? { hang: true } : null) }),

  /** Some kinds of requests get an error of the proxy's own. */
  refuses: ({ kinds, status = 403, afterMs = 0 }) => ({ stops: kinds, admit: ({ kind }) => (kinds.includes(kind) ? { status, text: PAGE, type: "text/html", afterMs } : null) }),

  /** Everything is answered by somebody else, with 200 or by a redirect. */
  captive: ({ redirect = false }) => ({
    stops: ALL,
    admit: ({ kind }) => (kind === "websocket" ? { status: 200 } : { status: redirect ? 302 : 200, text: PAGE, type: "text/html" }),
  }),

  /** Nothing listens at the address: a gateway's 502, or a refused connection. */
  serverDown: ({ status = 0 }) => ({ stops: ALL, admit: () => (status ? { status, text: PAGE, type: "text/html" } : { fail: true }) }),

  /** So many connections of a client at a time, others are refused; for `poisonMs` after that all are. */
  limitsConnections: ({ most, status = 403, poisonMs = 0 }, net) => {
    let poisonedUntil = -1;
    return {
      stops: most > 1 ? [] : ["websocket", "stream", "sse", "poll"],
      admit: (conn) => {
        const { elapsed } = net.clock;
        if (elapsed >= poisonedUntil && [...net.conns].filter((other) => other.isAtGateway && other !== conn).length < most) return null;
        if (elapsed >= poisonedUntil) poisonedUntil = elapsed + poisonMs;
        return { status, text: PAGE, type: "text/html" };
      },
    };
  },

  /**
   * The same where a browser keeps connections that it does not use, for `keptMs`, and these are counted too; `before` of
   * them are there when it begins. An address that is too long is refused with its connection's end. Where `hangs`,
   * those that are too many are not answered at all.
   */
  countsKept: ({ most, status = 403, keptMs = 120000, before = 0, hangs = false }, net) => {
    let lines = Array.from({ length: net ? before : 0 }, () => ({ isKept: true, usedAt: net.clock.elapsed }));
    const isUsed = ({ conn }) => Boolean(conn?.isAtGateway);
    const isThere = (line) => isUsed(line) || (line.isKept && net.clock.elapsed - line.usedAt < keptMs);
    // What asks whether new ones are answered has other credentials, and none of these.
    const isNew = ({ kind }) => kind === "websocket" || kind === "probe";
    const take = (conn) => {
      lines = lines.filter(isThere);
      const line = (!isNew(conn) && lines.findLast((one) => !isUsed(one))) || {};
      lines = [...lines.filter((one) => one !== line), line];
      return Object.assign(line, { conn, isKept: false, usedAt: net.clock.elapsed });
    };
    return {
      stops: most > 2 ? [] : ["websocket", "stream", "sse", "poll"],
      admit: (conn) => {
        const line = take(conn);
        if (conn.request.url.length > LONGEST) return { status: 400, text: PAGE, type: "text/html" };
        if (lines.length <= most) return null;
        if (hangs) return (lines = lines.filter((one) => one !== line)), { hang: true };
        line.isKept = !isNew(conn);
        return { status, text: PAGE, type: "text/html" };
      },
      down: (conn) => (item, next) => {
        const line = lines.find((one) => one.conn === conn);
        if (item.is === "end" && line && !isNew(conn)) Object.assign(line, { isKept: true, usedAt: net.clock.elapsed });
        return next(item);
      },
    };
  },

  /** Bodies of some types are refused. */
  refusesBodies: ({ types, status = 403 }) => ({
    stops: types.length > 2 ? ["serial"] : [],
    admit: ({ request }) => (request.method === "POST" && request.body && types.some((type) => (request.headers["content-type"] ?? "").startsWith(type)) ? { status, text: PAGE, type: "text/html" } : null),
  }),

  /** Words in addresses are filtered, in the query too, and long addresses refused. */
  filtersAddresses: ({ words = ["chat", "ws", "socket", "sse", "event", "stream", "poll", "message"], most = 2000 }) => ({
    admit: ({ request }) => {
      const { pathname, search } = new URL(request.url);
      const isRefused = request.url.length > most || words.some((word) => `${pathname}${search}`.includes(word));
      return isRefused ? { status: 403, text: PAGE, type: "text/html" } : null;
    },
  }),

  /** A GET that was made before is answered from a cache. */
  caches: () => {
    const kept = new Map();
    return {
      admit: ({ request }) => (request.method === "GET" ? (kept.get(request.url) ?? null) : null),
      down: ({ request, kind }) => {
        const answer = { status: 0, text: "", type: "" };
        return (item, next) => {
          if (item.is === "head") Object.assign(answer, { status: item.status, type: item.headers["content-type"] });
          if (item.is === "data") answer.text += item.bytes.toString();
          if (item.is === "end" && kind !== "websocket" && answer.status === 200) kept.set(request.url, answer);
          next(item);
        };
      },
    };
  },

  /** A gateway makes POSTs several times before it hands an answer on. */
  repeats: ({ times = 4, everyMs = 50 }) => ({ admit: ({ request }) => (request.method === "POST" ? { retries: times - 1, everyMs } : null) }),

  /** The query never arrives: without its cursor a connection begins at the head. */
  stripsQuery: ({ kinds }) => ({ stops: kinds, admit: (conn) => void (kinds.includes(conn.kind) && (conn.request.query = { batch: conn.request.query.batch })) }),

  /** Headers never arrive. */
  stripsHeaders: () => ({ admit: (conn) => void (conn.request.headers = { "content-type": conn.request.headers["content-type"] }) }),
};
