import assert from "node:assert/strict";
import { test } from "node:test";

import { Full, Vault } from "../../static/js/client/vault.js";
import { Place, message } from "./outbox.world.mjs";

function places() {
  return [new Place("IndexedDB"), new Place("localStorage"), new Place("memory")];
}

const ids = (rows) => rows.map((row) => row.client_id);

test("rows are kept apart by person and come back oldest first", async () => {
  const stores = places();
  const vault = new Vault({ stores });
  for (const n of [3, 1, 2]) await vault.put(message(n));
  await vault.put(message(4, { user: "bob" }));
  assert.equal(vault.kind, "IndexedDB");
  assert.deepEqual(ids(await new Vault({ stores }).load("ada")), ["m1", "m2", "m3"]);
});

test("a place that fails is left for the next one, which takes what was held", async () => {
  const stores = places();
  const vault = new Vault({ stores });
  await vault.put(message(1));
  stores[0].fails.add("put");
  await vault.put(message(2));
  assert.equal(vault.kind, "localStorage");
  assert.deepEqual([...stores[1].rows.keys()], ["m1", "m2"]);
  stores[1].fails.add("put").add("all");
  await vault.put(message(3));
  assert.equal(vault.kind, "memory");
  assert.deepEqual(ids(await vault.load("ada")), ["m1", "m2", "m3"]);
});

test("a place that cannot even be read is left, and two writers at once leave only that one", async () => {
  const stores = places();
  stores[0].fails.add("all").add("put");
  const reading = new Vault({ stores });
  assert.deepEqual(await reading.load("ada"), []);
  assert.equal(reading.kind, "localStorage");
  const writing = new Vault({ stores });
  await Promise.all([writing.put(message(1)), writing.put(message(2))]);
  assert.equal(writing.kind, "localStorage");
  assert.deepEqual([...stores[1].rows.keys()], ["m1", "m2"]);
});

test("what lies in a lesser place since a bad day is found and removed as well", async () => {
  const stores = places();
  stores[0].rows.set("m2", message(2));
  stores[1].rows.set("m1", message(1)).set("m2", message(2));
  const vault = new Vault({ stores });
  assert.deepEqual(ids(await vault.load("ada")), ["m1", "m2"]);
  await vault.remove("m2");
  assert.deepEqual(ids(await vault.load("ada")), ["m1"]);
});

test("what is no row is passed over", async () => {
  const stores = places();
  const bad = [null, "x", 7, {}, message(2, { content: 5 }), message(3, { at: "soon" }), message(4, { state: "new" })];
  for (const [n, row] of [message(1), ...bad].entries()) stores[0].rows.set(n, row);
  assert.deepEqual(ids(await new Vault({ stores }).load("ada")), ["m1"]);
});

test("a row that another tab removed is not there any more", async () => {
  const stores = places();
  const vault = new Vault({ stores });
  await vault.put(message(1));
  assert.equal(await vault.has("m1"), true);
  stores[0].rows.clear();
  assert.equal(await vault.has("m1"), false);
  stores[0].fails.add("get");
  assert.equal(await vault.has("m1"), true, "when in doubt it is sent: that does no harm");
});

test("too many rows, or too large ones, are refused, and changing one is not a new one", async () => {
  const vault = new Vault({ stores: places() });
  for (let n = 0; n < 500; n += 1) await vault.put(message(n));
  await assert.rejects(vault.put(message(500)), Full);
  await vault.put(message(499, { state: "failed" }));
  await vault.put(message(500, { user: "bob" }));
  await vault.remove("m3");
  await vault.put(message(500));
  const other = new Vault({ stores: places() });
  await assert.rejects(other.put(message(1, { content: "x".repeat(2_000_000) })), { code: "outbox_full" });
});

test("nothing of a person is left when they log out", async () => {
  const stores = places();
  stores[1].rows.set("m1", message(1));
  stores[0].rows.set("m2", message(2)).set("m3", message(3, { user: "bob" }));
  const vault = new Vault({ stores });
  await vault.clear("ada");
  assert.deepEqual([stores[0].rows.size, stores[1].rows.size], [1, 0]);
  assert.deepEqual(ids(await vault.load("bob")), ["m3"]);
});

test("without any storage of a browser it is memory that keeps", async () => {
  const vault = new Vault({ base: "http://chat.test/" });
  await vault.put(message(1));
  assert.equal(vault.kind, "memory");
  assert.deepEqual(ids(await vault.load("ada")), ["m1"]);
});
