import assert from "node:assert/strict";
import { test } from "node:test";

import { Refused, Unsent } from "../../static/js/client/errors.js";
import { Outbox } from "../../static/js/client/outbox.js";
import { Uploads } from "../../static/js/client/uploads.js";
import { Vault } from "../../static/js/client/vault.js";
import { Waiting } from "../../static/js/client/waiting.js";
import { Chance } from "./client/random.mjs";
import { Place, message } from "./outbox.world.mjs";
import { FilesWorld, ID, KB, asker, file, settled } from "./uploads.world.mjs";

/** An outbox with files before a server that takes them; what is sent is answered by hand, or at once. */
function scene({ world = new FilesWorld(), places = { stores: [new Place("IndexedDB"), new Place("memory")], files: [new Place("IndexedDB"), new Place("memory")] }, locks, answer = () => ({ message_id: "1" }) } = {}) {
  const sent = [];
  const shown = [];
  const submit = async (one) => (sent.push(one), answer(one));
  const uploads = new Uploads({ world, ctx: asker() });
  const outbox = new Outbox({ world, vault: new Vault(places), submit, uploads, user: "ada", locks, onChange: (entries) => shown.push(entries) });
  const states = () => Object.fromEntries(outbox.entries.map((entry) => [entry.client_id, entry.state]));
  const said = () => sent.map((one) => one.client_id);
  return { world, places, outbox, sent, said, shown, states };
}

const withFiles = (n, files, more) => message(n, { files, ...more });
const small = (n) => file(10 * KB, { id: `f${n}`, name: `${n}.jpg` });

test("a message goes when all its files are there, and names them in their order", async () => {
  const { world, outbox, sent, places, states } = scene();
  outbox.flush();
  await outbox.add(withFiles(1, [small(1), small(2)], { content: "" }));
  await world.pass(0);
  assert.deepEqual(sent, [{ chat_id: "choir", client_id: "m1", content: "", attachments: ["a f1", "a f2"] }]);
  assert.deepEqual(states(), { m1: "sent" });
  assert.equal(places.files[0].rows.size, 0);
});

test("text that is written later overtakes files; files keep their order among themselves, in all chats", async () => {
  const { world, outbox, said, states } = scene();
  let free;
  const held = new Promise((resolve) => (free = resolve));
  const fetch = world.fetch;
  world.fetch = async (...what) => (world.requests.length === 1 && (await held), fetch(...what));
  outbox.flush();
  await outbox.add(withFiles(1, [small(1)]));
  await outbox.add(withFiles(2, [small(2)], { chat_id: "garden" }));
  await outbox.add(withFiles(3, [small(3)]));
  await outbox.add(message(4));
  await settled();
  assert.deepEqual(said(), ["m4"]);
  assert.deepEqual(states(), { m1: "uploading", m2: "waiting", m3: "waiting", m4: "sent" });
  free();
  await world.pass(0);
  assert.deepEqual(said(), ["m4", "m1", "m2", "m3"]);
});

test("how far files are is told a few times a second at most", async () => {
  const { world, outbox, shown } = scene();
  world.msPerRequest = 0;
  outbox.flush();
  await outbox.add(withFiles(1, [file(8000 * KB)]));
  await settled();
  await world.pass(1000);
  assert.ok(shown.length < 8, `${shown.length}`);
  assert.equal(shown.at(-1)[0].files[0].sent, 8000 * KB);
});

test("a page that is closed in the middle is followed by another one that goes on there", async () => {
  const one = scene();
  const big = file(3000 * KB);
  one.world.trouble = ({ n }) => (n === 3 ? "hang" : null);
  one.outbox.flush();
  await one.outbox.add(withFiles(1, [big]));
  await settled();
  assert.equal(one.states().m1, "uploading");
  one.outbox.stop();
  await settled();
  one.world.trouble = () => null;
  const before = one.world.sent;
  const two = scene({ world: one.world, places: one.places });
  two.outbox.flush();
  await two.outbox.open();
  await one.world.pass(0);
  assert.deepEqual(two.said(), ["m1"]);
  assert.deepEqual(one.said(), []);
  assert.ok(await one.world.has(big));
  assert.equal(one.world.uploads.size, 1);
  assert.ok(one.world.sent - before < 3000 * KB, "what was there is not sent again");
});

test("without a connection files wait; when it is back they go on at once", async () => {
  const { world, outbox, said, states } = scene();
  await outbox.add(withFiles(1, [small(1)]));
  await world.pass(60_000);
  assert.equal(world.requests.length, 0);
  world.trouble = () => "cut";
  outbox.flush();
  await settled();
  assert.deepEqual(states(), { m1: "waiting" });
  outbox.rest();
  await world.pass(600_000);
  const { length } = world.requests;
  world.trouble = () => null;
  outbox.flush();
  await world.pass(0);
  assert.ok(world.requests.length > length);
  assert.deepEqual(said(), ["m1"]);
});

test("what may pass later is tried further and further apart, and progress makes it soon again", async () => {
  const { world, outbox, states } = scene();
  world.trouble = () => world.refusal(503, "unavailable");
  outbox.flush();
  await outbox.add(withFiles(1, [small(1)]));
  for (const ms of [1000, 2000, 4000, 8000]) {
    const { length } = world.requests;
    await world.pass(ms - 1);
    assert.equal(world.requests.length, length);
    await world.pass(1);
    assert.equal(world.requests.length, length + 1);
  }
  assert.deepEqual(states(), { m1: "waiting" });
  assert.equal(outbox.entries[0].reason, "said unavailable");
});

for (const [status, code] of [[413, "too_large"], [413, "quota_exceeded"], [415, "type_refused"], [422, "damaged"], [507, "storage_full"], [403, "not_a_member"]]) {
  test(`a file refused with ${code} says so beside it; the others go on, and it can be taken out`, async () => {
    const { world, outbox, said, sent, states, places } = scene();
    world.trouble = ({ n }) => (n === 2 ? world.refusal(status, code) : null);
    outbox.flush();
    await outbox.add(withFiles(1, [small(1), small(2)]));
    await outbox.add(withFiles(3, [small(3)]));
    await world.pass(0);
    assert.deepEqual(states(), { m1: "failed", m3: "sent" });
    const { files, reason } = outbox.entries[0];
    assert.deepEqual([reason, files[0].code, files[1].code, files[1].reason], [`said ${code}`, undefined, code, `said ${code}`]);
    assert.equal(places.files[0].rows.get("m1").files[1].code, code);
    await outbox.edit("m1", "number 1", ["f1"]);
    await world.pass(0);
    assert.deepEqual(sent.at(-1).attachments, ["a f1"]);
    assert.equal(said().length, 2);
    assert.equal(world.requests.filter(({ method }) => method === "DELETE").length, 0, "of the second nothing was there");
  });
}

test("what failed is tried again with what is there already", async () => {
  const { world, outbox, sent } = scene();
  world.trouble = ({ n }) => (n === 3 ? world.refusal(422, "damaged") : null);
  outbox.flush();
  await outbox.add(withFiles(1, [small(1), small(2)]));
  await world.pass(0);
  await outbox.retry("m1");
  await world.pass(0);
  assert.deepEqual(sent[0].attachments, ["a f1", "a f2"]);
  assert.equal(world.pieces.length, 3);
  assert.equal(outbox.entries[0].files[1].code, undefined);
});

test("what is discarded on its way stops, is taken back from the server, and frees the next", async () => {
  const { world, outbox, said, places } = scene();
  world.trouble = ({ n }) => (n === 4 ? "hang" : null);
  outbox.flush();
  await outbox.add(withFiles(1, [small(1), file(1000 * KB, { id: "f2" })]));
  await outbox.add(withFiles(3, [small(3)]));
  await settled();
  outbox.take({ what: "drop", client_id: "m1" });
  await world.pass(0);
  assert.deepEqual(said(), ["m3"]);
  assert.deepEqual(world.requests.filter(({ method }) => method === "DELETE").map(({ path }) => path), ["/api/attachments/a f1".replace(" ", "%20"), "/api/uploads/u2"]);
  assert.equal(places.files[0].rows.size, 0);
});

test("a message whose event has come takes nothing back from the server", async () => {
  const { world, outbox } = scene();
  outbox.flush();
  await outbox.add(withFiles(1, [small(1)]));
  await world.pass(0);
  outbox.acked("m1");
  await world.pass(0);
  assert.deepEqual(outbox.entries, []);
  assert.equal(world.requests.filter(({ method }) => method === "DELETE").length, 0);
});

test("files that the server has no more, as they waited too long, are brought once more", async () => {
  let first = true;
  const { world, outbox, sent } = scene({
    answer: () => {
      if (!first) return { message_id: "1" };
      first = false;
      throw new Refused({ status: 404, code: "attachment_not_found" });
    },
  });
  outbox.flush();
  await outbox.add(withFiles(1, [small(1)]));
  await world.pass(0);
  assert.deepEqual(sent.length, 2);
  assert.notDeepEqual(sent[1].attachments, sent[0].attachments);
  const stubborn = scene({ answer: () => Promise.reject(new Refused({ status: 404, code: "attachment_not_found", message: "gone" })) });
  stubborn.outbox.flush();
  await stubborn.outbox.add(withFiles(1, [small(1)]));
  await stubborn.world.pass(0);
  assert.deepEqual([stubborn.states(), stubborn.sent.length], [{ m1: "failed" }, 2]);
});

test("a lost answer to the message sends no file again", async () => {
  let lost = 1;
  const { world, outbox, sent } = scene({ answer: () => (lost-- > 0 ? Promise.reject(new Unsent()) : { message_id: "1" }) });
  outbox.flush();
  await outbox.add(withFiles(1, [small(1)]));
  await world.pass(2000);
  assert.equal(sent.length, 2);
  assert.equal(world.pieces.length, 1);
  await outbox.edit("m1", "other");
  assert.equal(outbox.entries[0].content, "number 1", "what may have arrived is not changed");
});

test("files wait in a place of their own, and in memory where that fails, which is told", async () => {
  const places = { stores: [new Place("IndexedDB"), new Place("memory")], files: [new Place("IndexedDB"), new Place("memory")] };
  const vault = new Vault(places);
  await vault.put(message(1));
  await vault.put(withFiles(2, [small(2)]));
  assert.deepEqual([[...places.stores[0].rows.keys()], [...places.files[0].rows.keys()]], [["m1"], ["m2"]]);
  const rows = await new Vault(places).load("ada");
  assert.deepEqual(rows.map((row) => row.client_id), ["m1", "m2"]);
  assert.equal(rows[1].files[0].blob.size, 10 * KB);
  places.files[0].fails.add("put");
  const waiting = new Waiting({ world: new FilesWorld(), user: "ada", send: () => {}, vault });
  await vault.put(withFiles(3, [small(3)]));
  assert.deepEqual([waiting.kept, waiting.keeps({ files: [] })], [true, false]);
});

test("more bytes of files than a browser should hold are refused, and do not count as text", async () => {
  const vault = new Vault({ stores: [new Place("memory")], files: [new Place("memory")] });
  const huge = (n, size) => withFiles(n, [{ ...small(n), size }]);
  await vault.put(huge(1, 300_000_000));
  await assert.rejects(vault.put(huge(2, 300_000_000)), { code: "outbox_full" });
  await vault.put(message(3));
});

test("a page gives files names of their own and hands them on; what one chose again keeps its name", async () => {
  const sent = [];
  const vault = new Vault({ stores: [new Place("memory")], files: [new Place("memory")] });
  const waiting = new Waiting({ world: new FilesWorld(), user: "ada", send: (one) => sent.push(one), vault });
  const photo = new File(["abc"], "a.jpg", { type: "image/jpeg" });
  await waiting.add({ chat_id: "choir", files: [photo, small(9)] });
  const { content, files } = sent[0].entry;
  assert.deepEqual([content, files[0], files[1].id], ["", { id: files[0].id, name: "a.jpg", size: 3, type: "image/jpeg", blob: photo, sent: 0 }, "f9"]);
  assert.notEqual(files[0].id, sent[0].entry.client_id);
});

/** The Web Locks of one browser, as far as this needs them. */
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

test("two tabs with a connection each do not send the same file at once", async () => {
  const locks = new Locks();
  const one = scene({ locks });
  one.world.trouble = ({ n }) => (n === 1 ? "hang" : null);
  await one.outbox.add(withFiles(1, [small(1)]));
  const two = scene({ locks, world: one.world, places: one.places });
  await two.outbox.open();
  one.outbox.flush();
  two.outbox.flush();
  await settled();
  assert.equal(one.world.requests.length, 2);
  one.outbox.stop();
  await one.world.pass(0);
  assert.deepEqual([one.said(), two.said()], [[], ["m1"]]);
});

test("whatever the network and the tabs do, each message arrives once, with all its files, in order", async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = new Chance(seed).next;
    const world = new FilesWorld();
    world.random = random;
    world.trouble = ({ bytes }) => {
      if (random() > 0.25) return null;
      return bytes && random() < 0.4 ? { part: Math.floor(random() * bytes) } : random() < 0.5 ? "cut" : "lost";
    };
    const got = new Map();
    const answer = (one) => {
      if (random() < 0.2) throw new Unsent();
      if (!got.has(one.client_id)) got.set(one.client_id, one);
      if (random() < 0.2) throw new Unsent();
      return { message_id: one.client_id };
    };
    const files = Array.from({ length: 5 }, (_, n) => file(Math.floor(1 + random() * 700 * KB), { id: `f${n}` }));
    let page = scene({ world, answer });
    page.outbox.flush();
    for (let n = 0; n < 5; n += 1) {
      await page.outbox.add(withFiles(n, [files[n]]));
      if (random() < 0.4) {
        page.outbox.stop();
        page = scene({ world, answer, places: page.places });
        page.outbox.flush();
        await page.outbox.open();
      }
      await world.pass(random() * 3000);
    }
    for (let n = 0; n < 60 && got.size < 5; n += 1) await world.pass(10_000);
    assert.deepEqual([...got.keys()], ["m0", "m1", "m2", "m3", "m4"], `seed ${seed}`);
    for (const one of files) assert.ok(await world.has(one), `seed ${seed}: ${one.id}`);
  }
});
