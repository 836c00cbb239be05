/** Rules that hold back what the server says, and hand it on later or in other pieces. */

const AT_ONCE = { kinds: ["stream", "sse"] };

export const bufferRules = {
  /** Bodies come whole: at their end, or when so many bytes are there. */
  buffers: ({ kinds = AT_ONCE.kinds, bytes = Infinity }) => ({
    stops: bytes > 64 ? kinds : [],
    down: ({ kind }) => {
      let held = kinds.includes(kind) ? [] : null;
      let size = 0;
      return (item, next) => {
        size += item.bytes?.length ?? 0;
        if (held && item.is !== "cut" && item.is !== "end" && size < bytes) return held.push(item);
        held?.forEach(next);
        held = null;
        return next(item);
      };
    },
  }),

  /** Small pieces wait until there are so many bytes more. */
  clumps: ({ kinds = AT_ONCE.kinds, bytes }) => ({
    stops: kinds,
    down: ({ kind }) => {
      let held = [];
      let size = 0;
      return (item, next) => {
        if (!kinds.includes(kind)) return next(item);
        size += item.bytes?.length ?? 0;
        held.push(item);
        if (item.is === "data" && size < bytes) return undefined;
        size = 0;
        return held.splice(0).forEach(next);
      };
    },
  }),

  /** Each piece comes so much later (Nagle and delayed acknowledgements). */
  delays: ({ kinds, ms }, net) => ({
    stops: ms > 5000 ? kinds : [],
    down: ({ kind }) => (kinds.includes(kind) ? (item, next) => net.clock.after(ms, () => next(item)) : null),
  }),

  /** Bodies come in other pieces than they were sent, cut anywhere. */
  cutsUp: ({ bytes = 7 }) => ({
    down: () => (item, next) => {
      if (item.is !== "data") return next(item);
      for (let at = 0; at < item.bytes.length; at += bytes) next({ is: "data", bytes: item.bytes.subarray(at, at + bytes) });
      return undefined;
    },
  }),

  /** An answer that has not begun after so long becomes the gateway's 504; it may have asked several times by then. */
  limitsHolds: ({ ms, tries = 1, status = 504 }, net) => ({
    stops: ms * tries < 1000 ? ["poll", "serial"] : [],
    admit: () => (tries > 1 ? { retries: tries - 1, everyMs: ms, untilAnswered: true } : null),
    down: (conn) => {
      if (conn.kind !== "poll" && conn.kind !== "serial") return null;
      let begun = false;
      let given = false;
      net.clock.after(ms * tries, () => {
        given = !begun;
        if (given) conn.answerInstead(status);
      });
      return (item, next) => {
        begun = true;
        if (!given) next(item);
      };
    },
  }),
};
