/** The simulator finds what is wrong with a client, and nothing where nothing is wrong. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "./clock.mjs";
import { Naive } from "./naive.mjs";
import { Scene } from "./scene.mjs";

const GOOD = { latency: 5, rules: [] };

/** The scene after `ms`, with a naive client that has these faults. */
async function play(faults, phases, { acts = [], ms = 120000 } = {}) {
  const scene = new Scene({ phases, acts: [...acts, { at: 1000, do: "publish" }, { at: 30000, do: "publish", many: 3 }], makeEngine: (needs) => new Naive(needs, faults) });
  scene.start();
  await scene.advance(ms);
  scene.stop();
  return scene;
}

const found = (scene, pattern) => assert.ok(scene.judge.faults.some((fault) => pattern.test(fault)), scene.judge.faults.join("\n") || "no fault was found");

test("a plain polling client on a good network is found to do nothing wrong", async () => {
  const scene = await play([], [GOOD]);
  assert.deepEqual(scene.judge.faults, []);
  assert.ok(scene.isEven);
});

test("a client that delivers what it has is caught", async () => found(await play(["repeats"], [GOOD]), /delivered again/));

test("a client that passes over holes is caught", async () => {
  const acts = Array.from({ length: 40 }, (_, i) => ({ at: 2000 + 500 * i, do: "publish" }));
  found(await play(["skips holes"], [{ ...GOOD, rules: [{ rule: "losesFrames", every: 7 }] }], { acts }), /was skipped/);
});

test("a client that takes an open WebSocket for a working one never gets anything", async () => {
  const scene = await play(["trusts open"], [{ ...GOOD, rules: [{ rule: "dropsFrames" }] }]);
  assert.equal(scene.isEven, false);
  found(scene, /says live/);
});

test("a client that says live without having heard anything is caught", async () => found(await play(["says live"], [{ ...GOOD, hole: "hang" }]), /live, but nothing has been heard/));

test("a client that asks for too much at once is caught", async () => found(await play(["asks for all at once"], [GOOD]), /requests at once/));

test("a client that tries again without a pause is caught", async () => {
  const scene = await play(["hurries"], [{ ...GOOD, rules: [{ rule: "serverDown", status: 502 }] }], { ms: 20000 });
  assert.ok(scene.judge.mostInMinute() > 500);
});

test("the same seed gives the same play", async () => {
  const once = async () => {
    const scene = new Scene({ seed: 11, phases: [{ latency: 40, jitter: 30, rules: [{ rule: "swallows", share: 0.3 }] }], acts: [{ at: 5000, do: "publish", many: 5 }, { at: 9000, do: "send", clientId: "a" }] });
    scene.start();
    await scene.advance(90000);
    scene.stop();
    return JSON.stringify([scene.net.asked, scene.judge.statuses, [...scene.judge.deliveredAt]]);
  };
  assert.equal(await once(), await once());
});

test("the clock runs what a promise asked for before the next timer, holds throttled timers to full minutes, and lets none run in sleep", async () => {
  const clock = new Clock();
  const seen = [];
  const note = (name) => seen.push(`${name} ${clock.elapsed}`);
  clock.setTimeout(async () => {
    for (let hop = 0; hop < 100; hop += 1) await null;
    clock.setTimeout(() => note("inner"), 5);
  }, 10);
  clock.setTimeout(() => note("outer"), 20);
  await clock.advance(30);
  clock.throttle(true);
  clock.setTimeout(() => note("throttled"), 1000);
  clock.after(1000, () => note("outside"));
  await clock.advance(60000);
  clock.throttle(false);
  clock.setTimeout(() => note("slept"), 1000);
  const cancelled = clock.setTimeout(() => note("never"), 10);
  clock.clearTimeout(cancelled);
  await clock.sleep(5000);
  const woken = clock.elapsed;
  await clock.advance(1000);
  assert.deepEqual(seen, ["inner 15", "outer 20", "outside 1030", "throttled 60000", `slept ${woken + 1000}`]);
});
