import { Ended } from "../errors.js";
import { isRound, rounds } from "./poll.js";
import { address, ask, jsonOf } from "./http.js";

/** How a body of fields is written, the one that most proxies let pass first. */
const BODIES = {
  text: { type: "text/plain;charset=UTF-8", of: (fields) => JSON.stringify(fields) },
  form: { type: "application/x-www-form-urlencoded", of: (fields) => new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, Array.isArray(value) ? JSON.stringify(value) : value])).toString() },
  json: { type: "application/json", of: (fields) => JSON.stringify(fields) },
};

/**
 * One request that carries the cursor and commands, and is answered by what came of both. Where a
 * proxy refuses the form of its body, others are tried; `learnt` keeps the name of the one that passed,
 * `ctx.turns` that none did.
 */
export async function exchange(ctx, { hold, commands }, signal, learnt = {}) {
  const cursor = ctx.cursor();
  const fields = { timeout: hold, commands, ...(cursor !== null && { last_event_id: cursor }) };
  const all = [...new Set([learnt.body ?? "text", ...Object.keys(BODIES)])];
  // Where none of them passes it is not for the body: they take turns.
  const names = ctx.turns.failed ? [all[ctx.turns.failed++ % all.length]] : all;
  let refused;
  for (const name of names) {
    try {
      const { type, of } = BODIES[name];
      const url = address(ctx.world, "t/p", ctx.query);
      const round = await jsonOf(await ask(ctx.world, url, { method: "POST", type, body: of(fields), signal, token: ctx.token }), isRound);
      ctx.turns.failed = 0;
      if (learnt.body !== name && name !== "text") learnt.body = name;
      return round;
    } catch (error) {
      if (error.kind !== "refused" || !MAY_BE_THE_BODY.has(error.status)) throw error;
      refused ??= error;
    }
  }
  ctx.turns.failed ||= 1;
  throw refused ?? new Ended("refused");
}

const MAY_BE_THE_BODY = new Set([400, 403, 405, 406, 411, 413, 415, 501]);

/** The strictly serial form of long polling: commands go along with the requests for events. */
export const serial = {
  name: "serial",
  open(ctx) {
    return rounds(ctx, async (hold, signal) => {
      const commands = ctx.takeCommands();
      try {
        return await exchange(ctx, { hold: commands.length ? 0 : hold, commands }, signal, ctx.learnt);
      } catch (error) {
        ctx.giveBack(commands, error);
        throw error;
      }
    });
  },
};
