/** Each of the proxies of rows.mjs in three legs: all transports, no WebSocket, nearly silent. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ROWS } from "./rows.mjs";
import { Scene } from "./scene.mjs";

const LEGS = {
  all: { everyMs: 1000, forMs: 90000, ends: "all" },
  without: { everyMs: 1000, forMs: 90000, ends: "without", noWebSocket: true },
  silent: { everyMs: 7000, forMs: 180000, ends: "all" },
};

/** Events at an even pace, the first one waiting from the start; a message of one's own every 9 s. */
function actsOf({ forMs, ...leg }, { mute, everyMs = leg.everyMs }) {
  const acts = [];
  for (let at = everyMs; at < forMs; at += everyMs) acts.push({ at, do: "publish" });
  for (let at = 4500; at < forMs && !mute; at += 9000) acts.push({ at, do: "send", clientId: `mine ${at}` });
  return acts;
}

async function play(row, leg) {
  const { rules, latency, bps } = row;
  const scene = new Scene({ seed: 5, phases: [{ latency, bps, rules }], acts: actsOf(leg, row), noWebSocket: leg.noWebSocket });
  scene.publish();
  scene.start();
  await scene.advance(leg.forMs);
  await scene.until(() => scene.isEven, 120000);
  return scene;
}

/** ms from its writing to its arrival, of each event that the client had to get. */
const delays = (scene) => scene.server.log.visible.map(({ id }) => (scene.judge.deliveredAt.get(id) ?? Infinity) - (id / 1000 - Date.UTC(2026, 0, 5)));

for (const [name, leg] of Object.entries(LEGS)) {
  describe(`leg "${name}"`, () => {
    for (const row of ROWS.filter(({ ends }) => ends[leg.ends])) {
      test(row.name, async () => {
        const scene = await play(row, leg);
        const [first, ...later] = delays(scene).map(Math.floor);
        const { transport } = scene.page.status;
        if (process.env.SHOW) console.log(`${name.padEnd(8)} ${row.name.padEnd(60)} ${String(transport).padEnd(10)} first ${first} worst ${Math.max(...later)} requests ${scene.net.asked.length} most/min ${scene.judge.mostInMinute()} in flight ${scene.judge.mostInFlight}`);
        assert.deepEqual(scene.judge.faults, []);
        assert.ok(scene.isEven, "not all has arrived, or not all is answered");
        assert.ok(first <= row.first, `the first event took ${first} ms`);
        assert.ok(Math.max(...later) <= row.later, `an event took ${Math.max(...later)} ms`);
        if (row.ends[leg.ends] !== "any") assert.equal(transport, row.ends[leg.ends]);
        assert.ok([...scene.page.sent.values()].every(({ value }) => value?.message_id));
        scene.stop();
      });
    }
  });
}
