import { Unauthorised } from "./errors.js";

const LOCK = "quartchat-renewed";
const SHARED_MS = 20000;
let renewing = null;

/**
 * Renews the session's cookies, one tab at a time. Throws Unauthorised when the session is over,
 * another error when nobody can say.
 */
export function renewCookies(world) {
  renewing ??= alone(() => renewNow(world)).finally(() => (renewing = null));
  return renewing;
}

function alone(work) {
  return globalThis.navigator?.locks ? navigator.locks.request(LOCK, work) : work();
}

async function renewNow(world) {
  const stop = new AbortController();
  const timer = world.setTimeout(() => stop.abort(), SHARED_MS);
  const answer = await world.fetch(new URL("api/token/renew", world.base).href, { method: "POST", signal: stop.signal }).finally(() => world.clearTimeout(timer));
  const type = answer.headers.get("Content-Type") ?? "";
  if ((answer.status === 401 || answer.status === 403) && type.startsWith("application/problem+json")) throw new Unauthorised();
  if (answer.status !== 204 && !(answer.ok && type.includes("json"))) throw new Error(`The server said ${answer.status}`);
}
