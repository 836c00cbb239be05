/** Commands by requests: what waits goes along, nothing is left behind, and one refusal is not that of all. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Ended } from "../../../static/js/client/errors.js";
import { Sender } from "../../../static/js/client/sender.js";
import { Timers } from "../../../static/js/client/timers.js";
import { Clock } from "./clock.mjs";

const PATIENCE_MS = 3000;

/** A sender without a WebSocket, in a world where `answer(commands)` says what comes of a request, after so many ms. */
function sending({ answer, afterMs, spare = 5 }) {
  const clock = new Clock();
  let n = 0;
  const requests = [];
  const fetch = (url, { body, signal }) => {
    const { commands } = JSON.parse(body);
    requests.push(commands.map(({ data }) => data.n));
    return new Promise((resolve, reject) => {
      clock.after(afterMs, () => resolve(answer(commands)));
      signal.addEventListener("abort", () => reject(new Error("aborted")));
    });
  };
  const world = { now: clock.now, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout, random: () => 0.5, fetch, uuid: () => `id-${(n += 1)}`, base: "http://chat.example/" };
  const strategy = { active: null, isSerial: false, patienceMs: PATIENCE_MS, spareRequests: spare, sent: () => {}, starved: () => {} };
  const ctx = { cursor: () => 1, token: () => null, query: () => ({}), learnt: { overtaken() {} }, turns: { failed: 0 } };
  let sender = null;
  const onEvents = (events) => events.forEach((event) => sender.answered(event));
  sender = new Sender({ world, timers: new Timers(world), strategy, ctx, onEvents, onOver: () => {} });
  return { clock, sender, requests };
}

const headers = (type) => ({ get: (name) => (name === "Content-Type" ? type : null) });
const acks = (commands) => ({
  status: 200,
  headers: headers("application/json"),
  text: async () => JSON.stringify({ last_event_id: 1, events: commands.map(({ request_id, data }) => ({ type: "ack", data, request_id })) }),
});
const refused = () => ({ status: 422, headers: headers("application/problem+json"), json: async () => ({ code: "invalid", detail: "no" }) });

test("on a slow way every command goes along with a request, whatever is under way", async () => {
  const { clock, sender } = sending({ answer: acks, afterMs: 20000 });
  const answered = [];
  for (const [at, n] of [[0, 1], [8500, 2], [12500, 3]]) {
    await clock.advance(at - clock.elapsed);
    sender.command("mark_read", { n }).then(() => answered.push(n));
  }
  await clock.advance(45000);
  assert.deepEqual(answered, [1, 2, 3]);
});

test("a request carries no more commands than the server takes", async () => {
  const { clock, sender, requests } = sending({ answer: acks, afterMs: 10 });
  const all = Promise.all(Array.from({ length: 150 }, (_, n) => sender.command("mark_read", { n })));
  await clock.advance(1000);
  assert.equal((await all).length, 150);
  assert.ok(requests.every((carried) => carried.length <= 100));
});

test("what is refused together is sent again one by one: only what is wrong is refused", async () => {
  const answer = (commands) => (commands.some(({ data }) => data.n === 2) ? refused() : acks(commands));
  const { clock, sender } = sending({ answer, afterMs: 10 });
  sender.command("mark_read", { n: 0 });
  const outcomes = Promise.allSettled([1, 2, 3].map((n) => sender.command("mark_read", { n })));
  await clock.advance(1000);
  assert.deepEqual((await outcomes).map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
});

test("what nobody answers is given up at last", async () => {
  const { clock, sender } = sending({ answer: acks, afterMs: 1e9 });
  const outcome = sender.command("mark_read", { n: 1 }).catch((error) => error);
  await clock.advance(70000);
  assert.equal((await outcome).name, "Unsent");
  assert.ok(!((await outcome) instanceof Ended));
});

test("what hangs in a dead connection is repeated, also after a repeat that failed", async () => {
  let n = 0;
  const outcomes = [() => new Promise(() => {}), () => Promise.reject(new Error("reset")), acks];
  const { clock, sender, requests } = sending({ afterMs: 10, answer: (commands) => outcomes[Math.min(n++, 2)](commands) });
  const sent = sender.command("send_message", { n: 1, client_id: "a" });
  await clock.advance(3 * PATIENCE_MS);
  assert.deepEqual(requests, [[1], [1], [1]]);
  assert.equal((await sent).n, 1);
});
