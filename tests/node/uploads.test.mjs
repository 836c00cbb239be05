import assert from "node:assert/strict";
import { test } from "node:test";

import { Uploads } from "../../static/js/client/uploads.js";
import { FilesWorld, ID, KB, asker, file, settled } from "./uploads.world.mjs";
import { Chance } from "./client/random.mjs";

function scene() {
  const world = new FilesWorld();
  const uploads = new Uploads({ world, ctx: asker() });
  const progress = [];
  const bring = (one, signal = new AbortController().signal) => uploads.bring("choir", one, signal, (sent) => progress.push(sent));
  return { world, uploads, progress, bring };
}

/** Tries again until it is there, as the outbox does. */
async function insist(bring, one, most = 60) {
  for (let n = 1; ; n += 1) {
    try {
      return { made: await bring(one), tries: n };
    } catch (error) {
      if (n === most || error.name === "Refused") throw error;
    }
  }
}

test("a file goes in pieces that grow while they pass quickly, to 4 MB", async () => {
  const { world, bring, progress } = scene();
  const one = file(12_000 * KB);
  assert.equal((await bring(one)).attachment_id, "a f1");
  assert.deepEqual(world.pieces.slice(0, 6).map((bytes) => bytes / KB), [256, 512, 1024, 2048, 4096, 4064]);
  assert.ok(await world.has(one));
  assert.deepEqual(progress.slice(0, 3), [0, 256 * KB, 768 * KB]);
});

test("pieces do not grow on a slow line, and shrink where each takes very long", async () => {
  const { world, bring } = scene();
  world.msPerRequest = 2000;
  await bring(file(1024 * KB));
  assert.deepEqual(new Set(world.pieces), new Set([256 * KB]));
  const slow = scene();
  slow.world.msPerRequest = 11000;
  await slow.bring(file(512 * KB));
  assert.deepEqual(slow.world.pieces.map((bytes) => bytes / KB), [256, 128, 64, 32, 16, 16]);
});

test("a proxy that takes only small bodies gets small pieces, at once", async () => {
  const { world, bring } = scene();
  world.trouble = ({ bytes }) => (bytes > 40 * KB ? new Response("<h1>413</h1>", { status: 413 }) : null);
  const one = file(200 * KB);
  await bring(one);
  assert.ok(await world.has(one));
  assert.deepEqual([...new Set(world.pieces)].map((bytes) => bytes / KB).slice(0, 4), [200, 100, 50, 25]);
  assert.ok(Math.max(...world.pieces.slice(3)) <= 40 * KB, "and does not see larger ones again");
});

test("one that takes none at all is not asked for ever", async () => {
  const { world, bring } = scene();
  world.trouble = ({ bytes }) => (bytes ? new Response("no", { status: 413 }) : null);
  await assert.rejects(bring(file(100 * KB)), { name: "Unsent" });
  assert.ok(world.pieces.length < 6);
});

test("what our own server finds too large is refused for good", async () => {
  const { world, bring } = scene();
  world.trouble = ({ path }) => (ID.test(path) ? null : world.refusal(413, "too_large"));
  await assert.rejects(bring(file(100)), { name: "Refused", code: "too_large", status: 413, retryable: false, message: "said too_large" });
  assert.equal(world.requests.length, 1, "before any of it was sent");
});

for (const [status, code] of [[413, "quota_exceeded"], [415, "type_refused"], [422, "damaged"], [413, "too_many_pixels"], [403, "not_a_member"]]) {
  test(`${code} after the last piece is refused for good`, async () => {
    const { world, bring } = scene();
    world.trouble = ({ path }) => (ID.test(path) ? world.refusal(status, code) : null);
    await assert.rejects(bring(file(100)), { name: "Refused", code, status, retryable: false });
  });
}

for (const [status, code] of [[507, "storage_full"], [503, "media_failed"], [429, "rate_limited"]]) {
  test(`${code} may pass later, and no byte is sent twice`, async () => {
    const { world, bring } = scene();
    const one = file(600 * KB);
    world.trouble = ({ n }) => (n === 2 ? world.refusal(status, code) : null);
    await assert.rejects(bring(one), { name: "Refused", code, retryable: true });
    world.trouble = () => null;
    await bring(one);
    assert.ok(await world.has(one));
    assert.equal(world.pieces.slice(0, 1).concat(world.pieces.slice(2)).reduce((sum, bytes) => sum + bytes), one.size);
  });
}

for (const status of [400, 403, 415]) {
  test(`a proxy that answers raw bodies with ${status} gets forms`, async () => {
    const { world, bring } = scene();
    world.trouble = ({ type }) => (type === "application/octet-stream" || type?.startsWith("text/plain") ? new Response("no", { status }) : null);
    const one = file(700 * KB);
    await bring(one);
    assert.ok(await world.has(one));
    assert.equal(world.requests.filter(({ type }) => type === "application/octet-stream").length, 0, "once is enough");
  });
}

for (const stage of [0, 1, 2, 3]) {
  for (const what of ["cut", "lost", { part: 1000 }, "hang"]) {
    test(`request ${stage} ${JSON.stringify(what)}: it goes on from where it was`, async () => {
      const { world, bring } = scene();
      const one = file(900 * KB);
      world.trouble = ({ n }) => (n === stage && !(stage === 0 && what.part) ? what : null);
      const brought = insist(bring, one);
      await settled();
      await world.pass(200_000);
      const { tries } = await brought;
      assert.ok(tries <= 2);
      assert.ok(await world.has(one));
      assert.equal(world.uploads.size, 1);
      assert.ok(world.sent <= one.size + 512 * KB, "only the piece that was lost goes once more");
    });
  }
}

test("where the answer to the last piece is lost, the file is there and nothing of it is sent again", async () => {
  const { world, bring } = scene();
  const one = file(100 * KB);
  world.trouble = ({ n }) => (n === 1 ? "lost" : null);
  const { made } = await insist(bring, one);
  assert.equal(made.attachment_id, "a f1");
  assert.equal(world.pieces.length, 1);
});

test("cuts make pieces smaller, down to 16 KB, and not for ever", async () => {
  const { world, bring } = scene();
  const one = file(1500 * KB);
  world.trouble = ({ n, bytes }) => (n < 12 && bytes ? "cut" : null);
  await insist(bring, one);
  assert.equal(Math.min(...world.pieces.filter((bytes) => bytes > 8 * KB)), 16 * KB);
  assert.ok(Math.max(...world.pieces.slice(-4)) >= 256 * KB);
});

test("an upload that the server has forgotten begins anew", async () => {
  const { world, bring } = scene();
  const one = file(900 * KB);
  world.trouble = ({ n }) => (n === 2 ? (world.uploads.clear(), null) : null);
  const { tries } = await insist(bring, one);
  assert.equal(tries, 2);
  assert.ok(await world.has(one));
});

test("where another tab went on with the same file, it goes on from there", async () => {
  const { world, bring } = scene();
  const one = file(900 * KB);
  world.trouble = ({ n }) => {
    if (n === 2) [...world.uploads.values()][0].bytes = new Uint8Array(0);
    return null;
  };
  await insist(bring, one);
  assert.ok(await world.has(one));
});

test("the page of a captive portal is no answer", async () => {
  const { world, bring } = scene();
  world.trouble = () => new Response("<html>log in</html>", { headers: { "Content-Type": "text/html" } });
  await assert.rejects(bring(file(10)), { name: "Unsent" });
});

test("an expired session and somebody else's are told apart from failures", async () => {
  const { world, bring } = scene();
  world.trouble = () => world.refusal(401, "unauthenticated");
  await assert.rejects(bring(file(10)), { name: "Unauthorised" });
  world.trouble = () => world.refusal(403, "other_user");
  await assert.rejects(bring(file(10)), { kind: "over" });
});

test("a file that cannot be read any more is refused, and not taken for a bad network", async () => {
  const { bring } = scene();
  const one = file(100 * KB);
  one.blob = { slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotReadableError")) }) };
  await assert.rejects(bring(one), { name: "Refused", code: "unreadable", retryable: false });
});

test("one that is stopped makes no further request, and its pieces do not shrink", async () => {
  const { world, bring } = scene();
  const stop = new AbortController();
  world.trouble = ({ n }) => (n === 2 ? "hang" : null);
  const brought = bring(file(3000 * KB), stop.signal);
  await settled();
  stop.abort();
  await assert.rejects(brought, { name: "Unsent" });
  assert.equal(world.requests.length, 3);
  world.trouble = () => null;
  await bring(file(3000 * KB));
  assert.equal(world.pieces[2], 512 * KB);
});

test("what is not wanted any more is taken back from the server", async () => {
  const { world, uploads } = scene();
  uploads.drop({ id: "f1", upload_id: "u1" });
  uploads.drop({ id: "f2", upload_id: "u2", attachment_id: "a2" });
  uploads.drop({ id: "f3" });
  await settled();
  assert.deepEqual(world.requests.map(({ method, path }) => [method, path]), [["DELETE", "/api/uploads/u1"], ["DELETE", "/api/attachments/a2"]]);
});

test("whatever the network does, each file arrives whole, once, and without many bytes in vain", async () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = new Chance(seed).next;
    const { world, bring } = scene();
    const odds = random() * 0.4;
    const limit = random() < 0.3 ? 20 * KB + random() * 500 * KB : Infinity;
    world.trouble = ({ bytes, method }) => {
      if (bytes > limit) return new Response("no", { status: 413 });
      if (method !== "POST" || random() > odds) return null;
      const kind = Math.floor(random() * 4);
      if (kind === 3 && bytes) return { part: Math.floor(random() * bytes) };
      return kind === 0 ? new Response("bad gateway", { status: 502 }) : kind === 1 ? "cut" : "lost";
    };
    const one = file(Math.floor(1 + random() * 1500 * KB));
    await insist(bring, one, 400);
    assert.ok(await world.has(one), `seed ${seed}`);
    assert.equal(world.uploads.size, 1, `seed ${seed}`);
  }
});
