/**
 * Thousands of random plays (see plays.mjs), and what must hold in each:
 *
 * - every event that the client can see is delivered once, in order, none left out;
 * - while any transport gets through, all arrives and all is answered by when it is owed (promises.mjs);
 * - each message is written once, and its sender gets the right answer;
 * - "live" is said only when it is so; there are never more than a few requests at a time, nor in a minute;
 * - on a good network it comes back to the best transport.
 *
 * PLAYS=20000 plays more of them, FROM=1 begins elsewhere, SEED=7 plays one.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { play } from "./plays.mjs";
import { describe, run, shrink } from "./trial.mjs";

const { SEED, FROM = 1, PLAYS = 3000 } = process.env;
const [first, count] = SEED ? [Number(SEED), 1] : [Number(FROM), Number(PLAYS)];
const BATCHES = Math.min(10, count);
const MOST_SHOWN = 3;

let shownSoFar = 0;

/** What was thrown behind the back of everybody, by which play. */
let thrown = [];
process.on("unhandledRejection", (error) => thrown.push(error));

async function faultsOf(one) {
  thrown = [];
  const { faults } = await run(one);
  await setImmediate();
  return [...faults, ...thrown.map((error) => `at some time: a promise failed and nobody looked: ${error?.stack ?? error}`)];
}

async function report(one, faults) {
  const least = await shrink(one, faults[0]);
  return [`SEED=${one.seed}`, ...faults.slice(0, MOST_SHOWN), "the smallest play with that:", describe(least.play), `  ${least.fault}`].join("\n");
}

for (let batch = 0; batch < BATCHES; batch += 1) {
  const from = first + Math.floor((batch * count) / BATCHES);
  const to = first + Math.floor(((batch + 1) * count) / BATCHES);
  test(`the client keeps its promises in the random plays ${from} to ${to - 1}`, { timeout: 600000 }, async () => {
    const failed = [];
    for (let seed = from; seed < to; seed += 1) {
      const one = play(seed);
      const faults = await faultsOf(one);
      if (faults.length) failed.push({ one, faults });
    }
    const shown = [];
    for (const { one, faults } of failed) if ((shownSoFar += 1) <= MOST_SHOWN) shown.push(await report(one, faults));
    assert.equal(failed.length, 0, `${failed.length} plays failed: ${failed.map(({ one }) => one.seed).slice(0, 20).join(", ")}\n\n${shown.join("\n\n")}`);
  });
}
