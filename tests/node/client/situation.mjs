/** One thing at a time that happens in the life of a connection: how it is set up, waited for and looked at. */

import assert from "node:assert/strict";
import { Scene } from "./scene.mjs";

export const GOOD = { latency: 5, rules: [] };
export const DOWN = { latency: 5, rules: [{ rule: "serverDown", status: 502 }] };

export function begin(phases, acts = [], more = {}) {
  const scene = new Scene({ seed: 3, phases, acts, ...more });
  scene.start();
  return scene;
}

/** Ends a test: nothing was done wrong meanwhile, and all is there. */
export function end(scene) {
  assert.deepEqual(scene.judge.faults, []);
  assert.ok(scene.isEven, "not all has arrived, or not all is answered");
  scene.stop();
}

export const is = (scene, state, transport) => () => scene.page.status.state === state && (transport === undefined || scene.page.status.transport === transport);

/** Waits until it is so; how many ms that took. */
export async function soon(scene, isSo, ms, what) {
  const from = scene.clock.elapsed;
  assert.ok(await scene.until(isSo, ms), `not ${what} within ${ms} ms, but ${JSON.stringify(scene.page.status)}`);
  return scene.clock.elapsed - from;
}

export const states = (scene, from = 0) => scene.judge.statuses.filter(({ at }) => at >= from).map(({ state }) => state).filter((state, i, all) => state !== all[i - 1]);
