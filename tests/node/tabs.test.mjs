import assert from "node:assert/strict";
import { test } from "node:test";

import { Browser } from "./tabs.world.mjs";
import { World, settled } from "./outbox.world.mjs";

async function browser(has = {}) {
  const made = new Browser(new World());
  Object.assign(made.has, has);
  return made;
}

const LOCKS = { SharedWorker: false };
const ALONE = { SharedWorker: false, locks: false };

/** Tabs opened one after the other. */
async function opened(number, has, more) {
  const made = await browser(has);
  for (let n = 0; n < number; n += 1) {
    made.open(more);
    await made.world.pass(10);
  }
  return made;
}

for (const [mode, has] of [["worker", {}], ["locks", LOCKS]]) {
  test(`eight tabs have one connection (${mode}), and each gets everything`, async () => {
    const made = await opened(8, has);
    assert.deepEqual(made.tabs.map(({ shared }) => shared.mode), Array(8).fill(mode));
    made.say(1);
    made.say(2);
    await settled();
    assert.equal(made.live.length, 1);
    for (const tab of made.tabs) assert.deepEqual(tab.seen, [1, 2]);
  });

  test(`an answer goes to the tab that asked (${mode})`, async () => {
    const made = await opened(3, has);
    made.tabs[2].shared.port.send({ is: "command", n: 7, data: "x" });
    made.tabs[0].shared.port.send({ is: "command", n: 7, data: "y" });
    await settled();
    assert.deepEqual(made.tabs.map(({ seen }) => seen.map(({ value }) => value)), [["y"], [], ["x"]]);
  });

  test(`a tab that comes later gets what it has missed (${mode})`, async () => {
    const made = await opened(1, has);
    made.say(1);
    made.say(2);
    await settled();
    const late = made.open({ cursor: 1 });
    await settled();
    made.say(3);
    await settled();
    assert.deepEqual(late.seen, [2, 3]);
  });

  test(`the connection ends a few seconds after the last tab, not between two pages (${mode})`, async () => {
    const made = await opened(2, has);
    for (const tab of made.tabs) tab.leave();
    await made.world.pass(mode === "worker" ? 2900 : 0);
    const next = made.open();
    await settled();
    if (mode === "worker") assert.equal(made.engines.length, 1);
    next.leave();
    await made.world.pass(3100);
    assert.equal(made.live.length, 0);
  });

  test(`a page that comes back out of the browser's memory joins again with its cursor (${mode})`, async () => {
    const made = await opened(2, has);
    const [tab] = made.tabs;
    made.say(1);
    await settled();
    tab.leave();
    await settled();
    made.say(2);
    await settled();
    tab.enter();
    await settled();
    made.say(3);
    await settled();
    assert.deepEqual(made.tabs.map(({ seen }) => seen), [[1, 2, 3], [1, 2, 3]]);
  });

  test(`hidden tabs ask for no signs of life (${mode})`, async () => {
    const made = await opened(2, has);
    for (const tab of made.tabs) tab.hide();
    await made.world.pass(2000);
    made.taken.length = 0;
    await made.world.pass(10000);
    assert.deepEqual(made.taken.filter(({ is }) => is === "ping"), []);
  });
}

for (const how of ["crash", "leave"]) {
  test(`when the leader goes (${how}) another tab leads at once`, async () => {
    const made = await opened(3, LOCKS);
    made.say(1);
    await settled();
    made.tabs[0][how]();
    made.say(2);
    await made.world.pass(50);
    made.say(3);
    await settled();
    for (const tab of made.tabs.slice(1)) assert.deepEqual(tab.seen, [1, 2, 3]);
    assert.equal(made.live.length, 1);
  });
}

test("when the leader freezes another one leads within two seconds, and the frozen one follows when it wakes", async () => {
  const made = await opened(3, LOCKS);
  made.say(1);
  await settled();
  made.tabs[0].freeze();
  made.say(2);
  await made.world.pass(2000);
  made.say(3);
  await settled();
  for (const tab of made.tabs.slice(1)) assert.deepEqual(tab.seen, [1, 2, 3]);
  made.tabs[0].thaw();
  await made.world.pass(100);
  made.say(4);
  await settled();
  for (const tab of made.tabs) assert.deepEqual(tab.seen, [1, 2, 3, 4]);
  assert.equal(made.live.length, 1);
});

test("a frozen tab next in line does not keep the others from leading", async () => {
  const made = await opened(3, LOCKS);
  made.tabs[1].freeze();
  made.tabs[0].crash();
  made.say(1);
  await made.world.pass(2100);
  assert.deepEqual(made.tabs[2].seen, [1]);
  made.tabs[1].thaw();
  await made.world.pass(2100);
  made.say(2);
  await made.world.pass(100);
  for (const tab of made.tabs.slice(1)) assert.deepEqual(tab.seen, [1, 2]);
  assert.equal(made.live.length, 1);
});

test("a leader that is frozen before anybody heard of it is passed over", async () => {
  const made = await opened(1, LOCKS);
  made.tabs[0].freeze();
  const tab = made.open();
  await made.world.pass(2200);
  made.say(1);
  await settled();
  assert.deepEqual(tab.seen, [1]);
});

test("a worker that answers no more is left by all for the same new one", async () => {
  const made = await opened(3);
  made.say(1);
  await settled();
  const [inside] = made.workers.values();
  inside.dead = true;
  inside.engine.stop();
  made.say(2);
  await made.world.pass(2000);
  made.say(3);
  await settled();
  for (const tab of made.tabs) assert.deepEqual(tab.seen, [1, 2, 3]);
  assert.deepEqual([made.workers.size, made.live.length], [2, 1]);
  const late = made.open({ cursor: 2 });
  await settled();
  assert.deepEqual([late.seen, made.workers.size], [[3], 2]);
});

for (const dead of ["throw", "error", "silent"]) {
  test(`where workers do not work (${dead}) a tab leads, and the next page does not try again`, async () => {
    const made = await browser();
    made.deadWorkers = dead;
    const tab = made.open();
    await made.world.pass(dead === "silent" ? 2000 : 10);
    made.say(1);
    await settled();
    assert.deepEqual([tab.shared.mode, tab.seen], ["locks", [1]]);
    const [before, other] = [made.workers.size, made.open()];
    await made.world.pass(10);
    assert.deepEqual([other.shared.mode, made.workers.size], ["locks", before]);
    assert.equal(made.live.length, 1);
  });
}

test("without locks and workers each tab has its own connection", async () => {
  const made = await opened(2, ALONE);
  made.say(1);
  await settled();
  assert.deepEqual(made.tabs.map(({ shared, seen }) => [shared.mode, seen]), [["alone", [1]], ["alone", [1]]]);
  made.tabs[0].shared.close();
  await settled();
  assert.equal(made.live.length, 1);
});

for (const [mode, has] of [["worker", {}], ["locks", LOCKS], ["alone", ALONE]]) {
  test(`a machine that slept for an hour wakes with the same connection for all its tabs (${mode})`, async () => {
    const made = await opened(2, has);
    const before = made.live.length;
    made.world.at += 3600000;
    await made.world.pass(60000);
    made.say(1);
    await settled();
    assert.equal(made.live.length, before);
    for (const tab of made.tabs) assert.deepEqual(tab.seen, [1]);
  });
}

test("locks that the browser refuses leave each tab to itself", async () => {
  const made = await browser(LOCKS);
  made.locks.request = async () => {
    throw new DOMException("no", "SecurityError");
  };
  const tab = made.open();
  await settled();
  assert.equal(tab.shared.mode, "alone");
});

test("a function that gives tokens, and nobody known, leave a tab to itself", async () => {
  for (const options of [{ token: () => "x" }, { user: null }]) {
    const made = await opened(1, {}, { options });
    assert.equal(made.tabs[0].shared.mode, "alone");
  }
});

test("people, languages and wishes do not share", async () => {
  const made = await browser();
  for (const options of [{}, { user: "bob" }, { html: true }, {}]) made.open({ options });
  await settled();
  assert.equal(made.live.length, 3);
});

test("the connection knows that nobody looks only when nobody does", async () => {
  const made = await opened(2);
  const told = () => made.taken.filter(({ is }) => is === "life").map(({ what }) => what);
  made.tabs[0].shared.port.send({ is: "life", what: "hidden" });
  await settled();
  assert.deepEqual(told(), []);
  made.tabs[1].shared.port.send({ is: "life", what: "hidden" });
  await settled();
  assert.deepEqual(told(), ["hidden"]);
});

test("a face that vanished is forgotten; one that was only away joins again", async () => {
  const made = await opened(1);
  const [tab] = made.tabs;
  tab.hide();
  tab.shared.port.send({ is: "life", what: "hidden" });
  await made.world.pass(300000);
  assert.equal(made.live.length, 1, "it answers, so it is there");
  const [inside] = made.workers.values();
  inside.hub.take("face", { is: "join", cursor: 0 }, () => {});
  const before = tab.joins;
  inside.hub.close();
  tab.shared.port.send({ is: "command", n: 1, data: "x" });
  await settled();
  assert.equal(tab.joins, before + 1);
});

test("what waits for the outbox survives a change of who has the connection", async () => {
  const made = await opened(1);
  const [tab] = made.tabs;
  tab.leave();
  tab.shared.port.send({ is: "outbox", what: "retry", client_id: "m1" });
  tab.shared.port.send({ is: "command", n: 1, data: "said again by the face itself" });
  tab.enter();
  await settled();
  assert.deepEqual(made.taken.filter(({ is }) => ["outbox", "command"].includes(is)).length, 1);
});
