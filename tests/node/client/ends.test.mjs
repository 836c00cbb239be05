/** How connections end, and how soon that is over. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GOOD, begin, end, is, soon, states } from "./situation.mjs";

describe("a connection that ends", () => {
  test("in order, by a proxy, is no news for anybody", async () => {
    const rules = [{ rule: "limitsLife", kinds: ["websocket"], ms: 20000, how: "cut" }];
    const scene = begin([{ latency: 5, rules }], Array.from({ length: 100 }, (_, i) => ({ at: 1000 * i, do: "publish" })));
    await scene.advance(101000);
    assert.deepEqual(states(scene), ["connecting", "live"]);
    assert.ok(scene.net.asked.length < 40);
    end(scene);
  });

  test("because the server restarts is over soon after it is there again", async () => {
    const scene = begin([GOOD], [{ at: 30000, do: "restart", awayMs: 3000 }, { at: 31000, do: "publish", many: 5 }]);
    await scene.advance(33000);
    await soon(scene, () => scene.isEven && is(scene, "live")(), 10000, "back");
    end(scene);
  });

  test("in silence is found out within two heartbeats and a second", async () => {
    const scene = begin([{ ...GOOD, forMs: 200000 }, { ...GOOD, change: "silent" }], [{ at: 200100, do: "publish" }]);
    await scene.advance(200100);
    await soon(scene, () => scene.isEven, 52000, "found out");
    end(scene);
  });

  test("in silence shortly after it was made is found out within some seconds", async () => {
    const scene = begin([{ ...GOOD, forMs: 3000 }, { ...GOOD, change: "silent" }], [{ at: 3100, do: "publish" }]);
    await scene.advance(3100);
    await soon(scene, () => scene.isEven, 8000, "found out");
    end(scene);
  });

  test("while a message is on its way: it goes another way, and is written once", async () => {
    const scene = begin([{ ...GOOD, forMs: 200000 }, { ...GOOD, change: "silent" }], [{ at: 200100, do: "send", clientId: "a" }]);
    await scene.advance(200100);
    await soon(scene, () => scene.isEven, 8000, "sent");
    assert.equal(scene.server.log.visible.filter(({ data }) => data.client_id === "a").length, 1);
    end(scene);
  });

  test("after the same silence each time is kept alive by earlier heartbeats, and in the next page from the start", async () => {
    const rules = [{ rule: "limitsSilence", kinds: ["websocket", "stream", "sse"], ms: 10000, how: "silent" }];
    const scene = begin([{ latency: 5, rules }], [{ at: 600000, do: "reload" }]);
    await scene.advance(600000);
    const asked = scene.net.asked.length;
    await scene.advance(600000);
    assert.ok(scene.net.asked.length - asked < 10, `${scene.net.asked.length - asked} requests in ten minutes`);
    end(scene);
  });
});
