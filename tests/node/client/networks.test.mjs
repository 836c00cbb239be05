/** What the client does in networks, good, dead and mended: how soon it is there, what it says and what it costs. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DOWN, GOOD, begin, end, is, soon, states } from "./situation.mjs";

describe("a good network", () => {
  for (const latency of [1, 5, 50, 300]) {
    test(`brings what waits after 3 latencies, and the WebSocket soon, at ${latency} ms`, async () => {
      const scene = begin([{ latency, rules: [] }]);
      scene.publish();
      await soon(scene, () => scene.isEven, 3 * latency, "there");
      await soon(scene, is(scene, "live", "websocket"), Math.max(100, 6 * latency), "live by websocket");
      await scene.advance(60000);
      assert.deepEqual(states(scene), ["connecting", "live"]);
      end(scene);
    });
  }

  test("costs hardly any requests while nothing happens", async () => {
    const scene = begin([GOOD]);
    await scene.advance(3600000);
    assert.ok(scene.net.asked.filter(({ kind }) => kind !== "renew").length <= 4, scene.net.asked.map(({ at, kind }) => `${at} ${kind}`).join(", "));
    end(scene);
  });

  test("a client without a cursor starts at the head", async () => {
    const scene = begin([GOOD], [{ at: 1000, do: "publish", many: 2 }], {});
    await scene.advance(2000);
    end(scene);
  });
});

describe("a network where nothing works", () => {
  for (const [name, phase, state, bestMs = 60000] of [
    ["requests hang", { ...GOOD, hole: "hang" }, ["connecting", "waiting"]],
    ["requests fail at once", { ...GOOD, hole: "fail" }, ["connecting", "waiting"]],
    ["the gateway says 502", DOWN, ["connecting", "waiting"]],
    ["all is 403", { latency: 5, rules: [{ rule: "serverDown", status: 403 }] }, ["connecting", "waiting"], 200000],
    ["a captive portal answers with a page", { latency: 5, rules: [{ rule: "captive" }] }, ["captive"]],
    ["a captive portal redirects", { latency: 5, rules: [{ rule: "captive", redirect: true }] }, ["captive"]],
  ]) {
    test(`${name}: it says so, asks seldom, remembers nothing of it, and is back within a pause`, async () => {
      const scene = begin([{ ...phase, forMs: 300000 }, { ...GOOD, change: "cut" }], [{ at: 100000, do: "publish", many: 3 }]);
      await scene.advance(299000);
      assert.ok(state.includes(scene.page.status.state), `it says ${scene.page.status.state}`);
      assert.ok(scene.judge.mostInMinute() <= 90, `${scene.judge.mostInMinute()} requests a minute`);
      const late = scene.net.asked.filter(({ at }) => at > 120000).length / 3;
      assert.ok(late <= 45, `${late} requests a minute in the long run`);
      await scene.advance(1000);
      await soon(scene, () => scene.isEven && is(scene, "live")(), 32000, "back");
      await soon(scene, is(scene, "live", "websocket"), bestMs, "at its best again");
      end(scene);
    });
  }

  test("what failed meanwhile is no reason to do with less in the next page", async () => {
    const scene = begin([{ ...GOOD, hole: "fail", forMs: 60000 }, { ...GOOD, change: "cut" }], [{ at: 62000, do: "reload" }]);
    await scene.advance(62000);
    await soon(scene, is(scene, "live", "websocket"), 100, "live by websocket");
    end(scene);
  });

  test("the browser's word that the network went and came is heard at once", async () => {
    const scene = begin([{ ...GOOD, forMs: 10000 }, { ...GOOD, hole: "fail", notices: true, forMs: 120000 }, { ...GOOD, notices: true }], [{ at: 60000, do: "publish", many: 4 }]);
    await scene.advance(11500);
    assert.equal(scene.page.status.state, "offline");
    assert.ok(scene.page.status.since > 0);
    await scene.advance(118500);
    await soon(scene, () => scene.isEven && is(scene, "live")(), 1000, "back");
    assert.equal(scene.page.status.missed, 4);
    end(scene);
  });

  test("somebody who does not want to wait need not", async () => {
    const scene = begin([{ ...DOWN, forMs: 200000 }, GOOD]);
    await scene.advance(200001);
    await soon(scene, () => scene.page.status.nextTryAt - scene.clock.now() > 3000 || scene.page.status.state === "live", 60000, "at a pause");
    scene.page.tell({ is: "wake", anew: false });
    await soon(scene, is(scene, "live"), 200, "live");
    end(scene);
  });
});

describe("a better way", () => {
  test("that was shut for two minutes is taken again within six", async () => {
    const scene = begin([{ latency: 5, rules: [{ rule: "upgradeRefused" }, { rule: "buffers" }], forMs: 120000 }, { ...GOOD, change: "keep" }]);
    await scene.advance(120000);
    assert.equal(scene.page.status.transport, "poll");
    await soon(scene, is(scene, "live", "websocket"), 360000, "live by websocket");
    end(scene);
  });

  test("is taken again after requests had to go one by one", async () => {
    const scene = begin([{ latency: 5, rules: [{ rule: "refuses", kinds: ["websocket", "stream", "sse", "poll"] }], forMs: 120000 }, { ...GOOD, change: "keep" }]);
    await scene.advance(119000);
    assert.equal(scene.page.status.transport, "serial");
    await scene.advance(1000);
    await soon(scene, is(scene, "live", "websocket"), 360000, "live by websocket");
    end(scene);
  });

  test("is found at once in another network", async () => {
    const scene = begin([{ latency: 5, rules: [{ rule: "upgradeRefused" }], forMs: 120000, name: "office" }, { ...GOOD, change: "cut", name: "home", notices: true }]);
    await scene.advance(120000);
    await soon(scene, is(scene, "live", "websocket"), 2000, "live by websocket");
    end(scene);
  });
});
