/** Files beside the connection, in networks that bear little of it. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { begin, end, is, soon, states } from "./situation.mjs";

const NETWORKS = [
  ["a good one", [{ latency: 5, rules: [] }], 2000],
  ["polling only", [{ latency: 20, rules: [{ rule: "refuses", kinds: ["websocket", "stream", "sse"] }] }], 6000],
  ["one request at a time, others are refused", [{ latency: 20, rules: [{ rule: "limitsConnections", most: 1 }] }], 30000],
  ["one request at a time, and a grudge of two seconds", [{ latency: 20, rules: [{ rule: "limitsConnections", most: 1, status: 503, poisonMs: 2000 }] }], 60000, { isCut: true }],
  ["one connection, kept ones are counted", [{ latency: 20, rules: [{ rule: "countsKept", most: 1 }] }], 60000],
  ["raw bodies are refused", [{ latency: 20, rules: [{ rule: "refusesBodies", types: ["application/octet-stream"] }] }], 4000],
];

function file(n, bytes) {
  return { id: `f${n}`, name: `${n}.jpg`, size: bytes, type: "image/jpeg", blob: new Blob([new Uint8Array(bytes)]), sent: 0 };
}

describe("files arrive, and so does what others write meanwhile", () => {
  for (const [name, phases, ms, { isCut = false } = {}] of NETWORKS) {
    test(name, async () => {
      const scene = begin(phases, [], { options: { user: "me" } });
      await soon(scene, is(scene, "live"), 120000, "live");
      await scene.advance(5000);
      const from = scene.clock.elapsed;
      scene.page.add("with files", "m1", [file(1, 900_000), file(2, 300_000)]);
      scene.publish();
      await soon(scene, () => scene.page.sent.get("m1").answeredAt !== null, ms, "sent");
      assert.equal(scene.page.sent.get("m1").error, undefined);
      await soon(scene, () => scene.isEven, 5000, "there");
      // Where the one connection is given to requests one by one, that is another way, and no loss.
      if (!isCut) assert.ok(states(scene, from).every((state) => state === "live"), states(scene, from).join(", "));
      end(scene);
    });
  }
});
