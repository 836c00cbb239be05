/** Runs a play and says what the client did wrong in it; and makes a play that fails as small as it goes. */

import { deadline, maySend, OWED_MS, windows } from "./promises.mjs";
import { Scene } from "./scene.mjs";

const BACK_UP_MS = 360000;
const MOST_ASKED = 90; // in a minute, besides those for what happened in it

/** { faults, scene } */
export async function run(play) {
  const scene = new Scene(play);
  const last = play.phases.reduce((sum, { forMs = 0 }) => sum + forMs, 0);
  const { at, ms, kills } = play.sleep ?? { at: 0, ms: 0 };
  const calm = Math.max(at + ms, last, ...play.acts.map((act) => act.at + (act.awayMs ?? 0) + (act.inMs ?? 0)));
  scene.start();
  await scene.advance(at);
  if (ms) await scene.sleep(ms, kills);
  await scene.advance(calm - at - ms);
  await scene.until(() => scene.isEven, OWED_MS);
  if (!scene.isEven && !scene.page.over) scene.judge.fault(`at the end not all is there: ${missing(scene)}`);
  const best = play.noWebSocket ? "stream" : "websocket";
  await scene.until(() => scene.page.status.transport === best, calm + BACK_UP_MS - scene.clock.elapsed);
  if (scene.page.status.transport !== best) scene.judge.fault(`on a good network still ${scene.page.status.state} by ${scene.page.status.transport} after ${BACK_UP_MS / 60000} minutes`);
  await scene.advance(1000);
  owes(scene, play);
  whole(scene);
  asksTooOften(scene, play);
  scene.stop();
  return { faults: scene.judge.faults, scene };
}

function missing({ server, judge, page }) {
  const events = server.log.visible.filter(({ id }) => id > judge.place).length;
  const answers = [...page.sent.values()].filter(({ answeredAt }) => answeredAt === null).length;
  return `${events} events, ${answers} answers`;
}

/** What was owed by a time has come by then. */
function owes({ judge, page, server, published, resetUpto }, play) {
  const forEvents = windows(play);
  const sendable = { ...play, phases: play.phases.map((phase) => (maySend(phase, play.noWebSocket) ? phase : { ...phase, hole: "hang" })) };
  const forSends = windows(sendable);
  const late = (what, at, done, by) => done > by && judge.fault(`${what} of ${(at / 1000).toFixed(1)} s ${done === Infinity ? "never came" : `came at ${(done / 1000).toFixed(1)} s`}, owed by ${(by / 1000).toFixed(1)} s`);
  const there = new Set(server.log.visible.map(({ id }) => id));
  for (const { at, id } of published) {
    if (there.has(id) && id > resetUpto) late("an event", at, judge.deliveredAt.get(id) ?? Infinity, deadline(forEvents, at));
  }
  for (const { at, answeredAt } of page.sent.values()) late("the answer to a message", at, answeredAt ?? Infinity, deadline(forSends, at) + 20000);
}

/** All that could be seen was delivered, and each message was written once. */
function whole({ judge, server, page, resetUpto, began }) {
  for (const { id } of server.log.visible) if (id > Math.max(began, resetUpto) && !judge.deliveredAt.has(id)) judge.fault(`event ${id} was never delivered`);
  const ids = server.log.events.map(({ event }) => event.data.client_id).filter(Boolean);
  if (new Set(ids).size < ids.length) judge.fault("a message was written twice");
  const left = [...page.sent].filter(([id, { isLeft }]) => isLeft && ids.includes(id)).map(([id]) => id);
  if (left.join() !== ids.filter((id) => page.sent.get(id)?.isLeft).join()) judge.fault("the outbox did not keep the order");
  for (const [id, { value, error, content }] of page.sent) {
    if (content === "never" ? error?.code !== "forbidden" : value?.client_id !== id) judge.fault(`a wrong answer to ${content}: ${JSON.stringify(value ?? error)}`);
  }
}

function asksTooOften({ judge, net, published, page }) {
  const times = net.asked.map(({ at }) => at);
  const busy = [...published.map(({ at }) => at), ...[...page.sent.values()].flatMap(({ at }) => [at, at])];
  for (let first = 0, last = 0; last < times.length; last += 1) {
    while (times[last] - times[first] >= 60000) first += 1;
    const least = last - first + 1;
    if (least <= MOST_ASKED) continue;
    const happened = busy.filter((at) => at >= times[first] - 5000 && at <= times[last]).length;
    if (least > MOST_ASKED + 2 * happened) return judge.fault(`${least} requests in the minute from ${(times[first] / 1000).toFixed(1)} s`);
  }
  return undefined;
}

/** What kind of fault it is, whatever the numbers. */
const kindOf = (fault) => fault.replace(/^[^:]*: /, "").replace(/[\d.]+/g, "#").split("\n")[0].slice(0, 60);

/** A smaller play with the same kind of first fault; at most so many runs. */
export async function shrink(play, fault, tries = 150) {
  let best = { play, fault };
  let left = tries;
  const fails = async (smaller) => {
    left -= 1;
    const { faults } = await run(smaller);
    const same = faults.find((one) => kindOf(one) === kindOf(fault));
    if (same) best = { play: smaller, fault: same };
    return Boolean(same);
  };
  for (let changed = true; changed && left > 0; ) {
    changed = false;
    for (const smaller of smallerOnes(best.play)) {
      if (left <= 0) break;
      if ((changed = await fails(smaller))) break;
    }
  }
  return best;
}

/** Plays with something left out, the greatest cuts first. */
function* smallerOnes(play) {
  const { phases, acts } = play;
  for (const size of [Math.ceil(acts.length / 2), Math.ceil(acts.length / 4), 1]) {
    for (let at = 0; size && at < acts.length; at += size) yield { ...play, acts: acts.toSpliced(at, size) };
  }
  for (let at = 0; at < phases.length - 1; at += 1) {
    const { forMs } = phases[at];
    yield { ...play, phases: phases.toSpliced(at, 1), acts: acts.filter((act) => act.at < forMs).concat(acts.filter((act) => act.at >= forMs).map((act) => ({ ...act, at: act.at - forMs }))) };
    for (let rule = 0; rule < phases[at].rules.length; rule += 1) yield { ...play, phases: phases.with(at, { ...phases[at], rules: phases[at].rules.toSpliced(rule, 1) }) };
  }
  if (play.noWebSocket) yield { ...play, noWebSocket: false };
  if (play.sleep) yield { ...play, sleep: undefined };
}

/** A play in a few lines. */
export function describe({ seed, phases, acts, noWebSocket, sleep, options }) {
  const flat = (value) => JSON.stringify(value, (_, part) => (part === Infinity ? "Infinity" : part)).replaceAll('"', "");
  const lines = phases.map((phase) => `  phase ${flat(phase)}`).concat(acts.map((act) => `  act   ${flat(act)}`));
  return [`seed ${seed}${noWebSocket ? ", no WebSocket" : ""}${sleep ? `, sleeps ${flat(sleep)}` : ""}${options ? `, ${flat(options)}` : ""}`, ...lines].join("\n");
}
