import assert from "node:assert/strict";
import { test } from "node:test";

import { Refused, Unsent } from "../../static/js/client/errors.js";
import { Outbox } from "../../static/js/client/outbox.js";
import { Vault } from "../../static/js/client/vault.js";
import { Place, World, message, settled } from "./outbox.world.mjs";

const DAY_MS = 86_400_000;

/** An outbox whose messages are answered by hand: `calls[n].answer()`, `.refuse(error)`. */
function scene({ world = new World(), stores = [new Place("IndexedDB"), new Place("memory")], locks } = {}) {
  const calls = [];
  const shown = [];
  const submit = (sent) => new Promise((resolve, reject) => calls.push({ ...sent, answer: (id = `on ${sent.client_id}`) => resolve({ message_id: id }), refuse: reject }));
  const outbox = new Outbox({ world, vault: new Vault({ stores }), submit, user: "ada", locks, onChange: (entries) => shown.push(entries) });
  const said = () => calls.map((call) => call.client_id);
  const states = () => Object.fromEntries(outbox.entries.map((entry) => [entry.client_id, entry.state]));
  return { world, stores, outbox, calls, shown, said, states };
}

test("what is written while nobody can be reached is kept and sent in order when somebody can", async () => {
  const { outbox, stores, calls, said, states } = scene();
  for (const n of [1, 2, 3]) await outbox.add(message(n));
  assert.deepEqual(states(), { m1: "waiting", m2: "waiting", m3: "waiting" });
  assert.equal(stores[0].rows.size, 3);
  outbox.flush();
  await settled();
  assert.deepEqual(said(), ["m1"]);
  for (const n of [0, 1, 2]) {
    calls[n].answer();
    await settled();
  }
  assert.deepEqual(said(), ["m1", "m2", "m3"]);
  assert.deepEqual(states(), { m1: "sent", m2: "sent", m3: "sent" });
  assert.equal(stores[0].rows.size, 0);
  for (const n of [1, 2, 3]) outbox.acked(`m${n}`);
  assert.deepEqual(outbox.entries, []);
});

test("a message is kept before it is sent", async () => {
  const { outbox, stores, said } = scene();
  let kept;
  stores[0].put = () => new Promise((resolve) => (kept = resolve));
  outbox.flush();
  outbox.add(message(1));
  await settled();
  assert.deepEqual(said(), []);
  kept();
  await settled();
  assert.deepEqual(said(), ["m1"]);
});

test("another page goes on where the one before was closed, with the same client_id", async () => {
  const one = scene();
  await one.outbox.add(message(1, { reply_to: "x" }));
  await one.outbox.add(message(2));
  one.outbox.flush();
  await settled();
  const two = scene({ stores: one.stores });
  two.outbox.flush();
  await two.outbox.open();
  await settled();
  assert.deepEqual(two.calls[0], { ...two.calls[0], chat_id: "choir", client_id: "m1", content: "number 1", reply_to: "x" });
  two.calls[0].answer();
  await settled();
  assert.deepEqual(two.said(), ["m1", "m2"]);
});

test("the event of a message is as good as its answer, and frees the next one", async () => {
  const { outbox, calls, said, stores } = scene();
  outbox.flush();
  await outbox.add(message(1));
  await outbox.add(message(2));
  await settled();
  outbox.acked("m1");
  await settled();
  assert.deepEqual(said(), ["m1", "m2"]);
  calls[0].refuse(new Unsent());
  await settled();
  assert.deepEqual([...stores[0].rows.keys()], ["m2"]);
  await outbox.add(message(1));
  assert.deepEqual(said(), ["m1", "m2"], "what has arrived is not taken a second time");
});

test("a chat that is stuck does not hold up another one", async () => {
  const { outbox, world, calls, said } = scene();
  outbox.flush();
  await outbox.add(message(1));
  await outbox.add(message(2, { chat_id: "garden" }));
  await outbox.add(message(3));
  await settled();
  assert.deepEqual(said(), ["m1", "m2"]);
  calls[0].refuse(new Refused({ status: 503, retryable: true, message: "busy" }));
  calls[1].answer();
  await world.pass(999);
  assert.deepEqual(said(), ["m1", "m2"]);
  assert.equal(outbox.entries[0].reason, "busy");
  await world.pass(1);
  assert.deepEqual(said(), ["m1", "m2", "m1"], "and within the chat the order stays");
});

test("what may pass later is tried again, further and further apart, but not sooner than asked", async () => {
  const { outbox, world, calls } = scene();
  outbox.flush();
  await outbox.add(message(1));
  for (const ms of [1000, 2000, 4000, 8000, 16000, 30000, 30000]) {
    await settled();
    const before = calls.length;
    calls.at(-1).refuse(new Refused({ status: 503, retryable: true }));
    await world.pass(ms - 1);
    assert.equal(calls.length, before);
    await world.pass(1);
    assert.equal(calls.length, before + 1);
  }
  calls.at(-1).refuse(Object.assign(new Refused({ status: 429, retryable: true }), { retryMs: 90000 }));
  const before = calls.length;
  await world.pass(89999);
  assert.equal(calls.length, before);
  await world.pass(1);
  assert.equal(calls.length, before + 1);
});

test("nothing is tried while nobody can be reached, and at once when somebody can again", async () => {
  const { outbox, world, calls } = scene();
  outbox.flush();
  await outbox.add(message(1));
  await settled();
  outbox.rest();
  calls[0].refuse(new Unsent());
  await world.pass(DAY_MS);
  assert.equal(calls.length, 1);
  assert.equal(outbox.entries[0].state, "waiting");
  outbox.flush();
  await settled();
  assert.equal(calls.length, 2);
  outbox.flush();
  await settled();
  assert.equal(calls.length, 2, "one of a chat at a time");
});

test("an expired session makes no message fail", async () => {
  const { outbox, calls, states } = scene();
  outbox.flush();
  await outbox.add(message(1));
  await settled();
  calls[0].refuse(new Refused({ status: 401, code: "unauthenticated" }));
  await settled();
  assert.deepEqual(states(), { m1: "waiting" });
});

for (const [status, code] of [[403, "not_a_member"], [413, "too_large"], [422, "invalid"], [404, "chat_not_found"]]) {
  test(`a message refused with ${status} says why, and those behind it are sent`, async () => {
    const { outbox, calls, said, states, stores } = scene();
    outbox.flush();
    await outbox.add(message(1));
    await outbox.add(message(2));
    await settled();
    calls[0].refuse(new Refused({ status, code, message: "because" }));
    await settled();
    assert.deepEqual(said(), ["m1", "m2"]);
    assert.deepEqual(states(), { m1: "failed", m2: "sending" });
    const { reason, code: why } = outbox.entries[0];
    assert.deepEqual([reason, why], ["because", code]);
    const { state, reason: kept } = stores[0].rows.get("m1");
    assert.deepEqual([state, kept], ["failed", "because"]);
    const later = scene({ stores });
    await later.outbox.open();
    later.outbox.flush();
    await settled();
    assert.deepEqual(later.states().m1, "failed");
  });
}

test("what failed can be sent again, changed or dropped", async () => {
  const { outbox, calls, said, stores } = scene();
  outbox.flush();
  for (const n of [1, 2, 3]) await outbox.add(message(n));
  for (const n of [0, 1, 2]) {
    await settled();
    calls[n].refuse(new Refused({ status: 413, code: "too_large", message: "too long" }));
  }
  await settled();
  await outbox.retry("m1");
  await outbox.edit("m2", "shorter");
  outbox.drop("m3");
  await settled();
  assert.equal(said()[3], "m1");
  assert.equal(outbox.entries.find((entry) => entry.client_id === "m1").reason, undefined);
  calls[3].answer();
  await settled();
  assert.equal(calls[4].content, "shorter");
  assert.notEqual(calls[4].client_id, "m2", "the server would take another text under this name for a repeat");
  calls[4].answer();
  await settled();
  assert.equal(stores[0].rows.size, 0);
});

test("what may have arrived already is not changed", async () => {
  const { outbox, calls } = scene();
  outbox.flush();
  await outbox.add(message(1));
  await settled();
  calls[0].refuse(new Unsent());
  await settled();
  await outbox.edit("m1", "other");
  assert.equal(outbox.entries[0].content, "number 1");
});

test("an answer to a message that was deleted is sent as a message", async () => {
  const { outbox, calls } = scene();
  outbox.flush();
  await outbox.add(message(1, { reply_to: "gone" }));
  await settled();
  calls[0].refuse(new Refused({ status: 404, code: "message_not_found" }));
  await settled();
  assert.equal(calls[1].reply_to, undefined);
});

test("what was written very long ago is not sent without being asked for", async () => {
  const { outbox, world, calls, states } = scene();
  await outbox.add(message(1, { at: world.now() - 31 * DAY_MS }));
  await outbox.add(message(2, { at: world.now() - 29 * DAY_MS }));
  outbox.flush();
  await settled();
  assert.deepEqual(states(), { m1: "failed", m2: "sending" });
  assert.equal(outbox.entries[0].code, "too_old");
  calls[0].answer();
  await outbox.retry("m1");
  await settled();
  assert.deepEqual(states(), { m1: "sending", m2: "sent" });
});

test("a page that stays open for a month does not send it either", async () => {
  const { outbox, world, states } = scene();
  await outbox.add(message(1));
  await world.pass(31 * DAY_MS);
  outbox.flush();
  await settled();
  assert.deepEqual(states(), { m1: "failed" });
});

test("what was sent is not shown for ever where its event does not come", async () => {
  const { outbox, world, calls } = scene();
  outbox.flush();
  await outbox.add(message(1));
  await settled();
  calls[0].answer("4711");
  await settled();
  assert.equal(outbox.entries[0].message_id, "4711");
  await world.pass(10000);
  assert.deepEqual(outbox.entries, []);
});

test("more than may wait is refused in words, and what waits is still there", async () => {
  const { outbox, states } = scene();
  await outbox.add(message(1));
  await outbox.add(message(2, { content: "x".repeat(3_000_000) }));
  assert.deepEqual(states(), { m1: "waiting", m2: "failed" });
  assert.equal(outbox.entries[1].code, "outbox_full");
});

test("nothing is left when somebody logs out, neither shown nor kept nor sent", async () => {
  const { outbox, stores, calls } = scene();
  await outbox.add(message(1));
  stores[0].rows.set("m9", message(9, { user: "bob" }));
  await outbox.clear();
  outbox.flush();
  await settled();
  assert.deepEqual([outbox.entries, [...stores[0].rows.keys()], calls], [[], ["m9"], []]);
});

/** The Web Locks of one browser, as far as the outbox uses them. */
class Locks {
  #held = new Map();

  async request(name, { signal }, work) {
    while (this.#held.has(name)) {
      const aborted = new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      await Promise.race([this.#held.get(name), aborted]);
    }
    let free;
    this.#held.set(name, new Promise((resolve) => (free = resolve)));
    return work().finally(() => (this.#held.delete(name), free()));
  }
}

test("two tabs that both have a connection do not send the same message at once", async () => {
  const locks = new Locks();
  const one = scene({ locks });
  const two = scene({ locks, stores: one.stores });
  await one.outbox.add(message(1));
  await two.outbox.open();
  one.outbox.flush();
  two.outbox.flush();
  await settled();
  assert.deepEqual([one.said(), two.said()], [["m1"], []]);
  one.calls[0].answer();
  await settled();
  assert.deepEqual([two.said(), two.outbox.entries], [[], []]);
});

test("a tab that is frozen while it sends does not hold up another one for ever", async () => {
  const locks = new Locks();
  const one = scene({ locks });
  const two = scene({ locks, stores: one.stores });
  await one.outbox.add(message(1));
  await two.outbox.open();
  one.outbox.flush();
  two.outbox.flush();
  await two.world.pass(5000);
  assert.deepEqual(two.said(), ["m1"]);
});
