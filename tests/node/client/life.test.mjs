/** What happens to pages, sessions and the log while a connection stands. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GOOD, begin, end, is, soon, states } from "./situation.mjs";

describe("a page", () => {
  test("that wakes from an hour of sleep has all that was written meanwhile in some seconds", async () => {
    const scene = begin([GOOD]);
    await scene.advance(30000);
    for (const conn of [...scene.net.conns]) conn.vanish();
    scene.clock.after(1800000, () => scene.publish());
    await scene.clock.sleep(3600000);
    scene.net.wake();
    await soon(scene, () => scene.isEven && is(scene, "live")(), 5000, "there again");
    end(scene);
  });

  test("that comes back as it was hears at once whether its connection still stands", async () => {
    const scene = begin([GOOD]);
    await scene.advance(100000);
    for (const conn of [...scene.net.conns]) conn.vanish();
    scene.publish();
    scene.page.tell({ is: "life", what: "resumed" });
    await soon(scene, () => scene.isEven, 4000, "there again");
    end(scene);
  });

  test("that is hidden, with timers once a minute, misses nothing, and finds a dead connection in some minutes", async () => {
    const scene = begin([{ ...GOOD, forMs: 300000 }, { ...GOOD, change: "silent" }], [{ at: 1000, do: "throttle", on: true }, { at: 100000, do: "publish" }, { at: 300500, do: "publish" }]);
    await scene.advance(101000);
    assert.ok(scene.isEven);
    await scene.advance(199500);
    await soon(scene, () => scene.isEven, 240000, "found out");
    end(scene);
  });

  test("whose clock is set forward and back goes on", async () => {
    const steps = [{ at: 20000, do: "step", ms: 7200000 }, { at: 80000, do: "step", ms: -7200000 }, { at: 140000, do: "step", ms: -3600000 }];
    const scene = begin([GOOD, { ...GOOD, change: "silent" }].map((phase, i) => (i ? phase : { ...phase, forMs: 160000 })), [...steps, ...[30, 90, 150, 170].map((s) => ({ at: 1000 * s, do: "publish" }))]);
    await scene.advance(170000);
    await soon(scene, () => scene.isEven, 60000, "there");
    end(scene);
  });
});

const tokens = (page, server) => (page.giveToken = () => server.issue());

describe("the session", () => {
  test("is renewed before it ends, and nobody notices", async () => {
    const scene = begin([GOOD], [{ at: 1000, do: "publish" }, { at: 3000000, do: "publish" }]);
    await scene.advance(3600000);
    assert.deepEqual(states(scene), ["connecting", "live"]);
    const renewals = scene.net.asked.filter(({ kind }) => kind === "renew").length;
    assert.ok(renewals >= 4 && renewals <= 6, `${renewals} renewals`);
    end(scene);
  });

  for (const noWebSocket of [false, true]) {
    test(`that has expired is renewed, and all goes on${noWebSocket ? ", without WebSocket too" : ""}`, async () => {
      const scene = begin([GOOD], [{ at: 30000, do: "expire" }, { at: 30001, do: "publish" }, { at: 30002, do: "send", clientId: "a" }], { noWebSocket });
      scene.server.session.lifeMs = 1000000;
      await scene.advance(30002);
      for (const conn of [...scene.net.conns]) conn.cut();
      await soon(scene, () => scene.isEven && is(scene, "live")(), 5000, "live again");
      end(scene);
    });
  }

  for (const noWebSocket of [false, true]) {
    const how = noWebSocket ? "without WebSocket" : "over the WebSocket";
    const given = (page) => ({ noWebSocket, options: { asks: true }, with: page });

    test(`of a page that gives tokens goes on with newer ones, ${how}`, async () => {
      const scene = begin([GOOD], [{ at: 1000, do: "publish" }, { at: 2000000, do: "publish" }, { at: 2000001, do: "send", clientId: "a" }], given(tokens));
      await scene.advance(2001000);
      assert.ok(scene.server.tokens.size >= 3, `${scene.server.tokens.size} tokens`);
      assert.deepEqual(states(scene, 2000), []); // nobody notices
      end(scene);
    });

    test(`of a page that has no newer token is over, ${how}`, async () => {
      const scene = begin([GOOD], [], given((page, server) => {
        let left = 1;
        page.giveToken = () => (left-- > 0 ? server.issue() : null);
      }));
      await scene.advance(60000);
      assert.equal(scene.page.over, false);
      await soon(scene, () => scene.page.over, 1000000, "over");
      assert.deepEqual(scene.judge.faults, []);
    });
  }

  test("that is over is said to be over, and nothing more is asked", async () => {
    const scene = begin([GOOD], [{ at: 30000, do: "logout" }]);
    await scene.advance(30001);
    for (const conn of [...scene.net.conns]) conn.cut();
    await soon(scene, () => scene.page.over, 5000, "over");
    const asked = scene.net.asked.length;
    await scene.advance(600000);
    assert.equal(scene.net.asked.length, asked);
    assert.deepEqual(scene.judge.faults, []);
  });

  test("that cannot be renewed for lack of a network is not over", async () => {
    const scene = begin([{ ...GOOD, forMs: 20000 }, { ...GOOD, hole: "fail", forMs: 60000 }, { ...GOOD, rules: [{ rule: "refuses", kinds: ["renew"], status: 503 }], forMs: 30000 }, GOOD], [{ at: 30000, do: "expire" }, { at: 31000, do: "publish" }]);
    await scene.advance(110000);
    assert.equal(scene.page.over, false);
    await soon(scene, () => scene.isEven && is(scene, "live")(), 40000, "live again");
    end(scene);
  });
});

describe("the log", () => {
  test("that no longer goes back so far leads to a reset, and on from there", async () => {
    const scene = begin([{ ...GOOD, hole: "fail", forMs: 60000 }, { ...GOOD, change: "cut" }], [{ at: 10000, do: "publish", many: 3 }, { at: 20000, do: "trim" }, { at: 30000, do: "publish" }, { at: 100000, do: "publish" }]);
    await scene.advance(101000);
    assert.ok(scene.resetUpto > 0, "no reset came");
    end(scene);
  });

  test("of an older backup leads to a reset, and on from there", async () => {
    const scene = begin([GOOD], [{ at: 10000, do: "publish", many: 3 }, { at: 20000, do: "restore" }, { at: 60000, do: "publish" }]);
    await scene.advance(61000);
    assert.ok(scene.resetUpto > 0, "no reset came");
    end(scene);
  });

  test("of a thousand missed events comes whole", async () => {
    const scene = begin([GOOD], [{ at: 30000, do: "publish", many: 1500 }]);
    scene.publish();
    for (let n = 0; n < 1200; n += 1) scene.publish("before", n % 3 > 0);
    await scene.advance(31000);
    end(scene);
  });
});

describe("faces", () => {
  test("that stand behind get what they lack, and nobody else does", async () => {
    const scene = begin([GOOD], [{ at: 1000, do: "publish", many: 5 }]);
    const from = scene.judge.place;
    await scene.advance(5000);
    const heard = [];
    scene.page.ask({ is: "join", cursor: from }, (message) => heard.push(message));
    await scene.advance(1000);
    assert.deepEqual(heard.filter((message) => message.is === "events").flatMap(({ events }) => events.map(({ id }) => id)), scene.server.log.visible.map(({ id }) => id));
    heard.length = 0;
    scene.page.ask({ is: "gap", cursor: scene.server.log.visible[2].id }, (message) => heard.push(message));
    await scene.advance(1000);
    assert.deepEqual(heard.flatMap(({ events }) => events?.map(({ id }) => id) ?? []), scene.server.log.visible.slice(3).map(({ id }) => id));
    end(scene);
  });

  test("hear signals as they come, and refusals with their reason", async () => {
    const scene = begin([GOOD], [{ at: 1000, do: "signal" }, { at: 2000, do: "send", clientId: "a", content: "never" }, { at: 3000, do: "send", clientId: "b", content: "fast" }]);
    await scene.advance(10000);
    assert.equal(scene.page.signals.length, 1);
    const { error } = scene.page.sent.get("a");
    assert.deepEqual([error.name, error.code, error.status, error.retryable], ["Refused", "forbidden", 403, false]);
    assert.equal(scene.page.sent.get("b").tries, 2);
    end(scene);
  });
});
