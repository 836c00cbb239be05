/** Requests to the server with the session's cookies, renewed when they have expired. */

import { Refused, Unauthorised } from "./client/errors.js";
import { renewCookies } from "./client/renewal.js";
import { browserWorld } from "./client/world.js";

export { Refused, Unauthorised, Unsent } from "./client/errors.js";
export { uuid } from "./client/world.js";

/** Sends JSON, answers the parsed body or null. Throws Refused, Unauthorised, or what fetch throws. */
export async function call(method, path, body, { timeout = 15000 } = {}) {
  const ask = () =>
    fetch(path, {
      method,
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout?.(timeout),
    });
  let answer = await ask();
  if (answer.status === 401) {
    await renewCookies(browserWorld());
    answer = await ask();
  }
  if (answer.status === 401) throw new Unauthorised();
  const parsed = await answer.json().catch(() => null);
  if (!answer.ok) throw refusal(answer.status, parsed);
  return parsed;
}

/** What the server explained; the same request may pass later where it is `retryable`. */
function refusal(status, problem) {
  const message = problem?.detail || problem?.message || problem?.title;
  return new Refused({ code: problem?.code, message, status, retryable: status === 429 || status === 408 || status >= 500 });
}

/** To the login page, and back here afterwards. */
export function logIn() {
  const here = location.pathname + location.search;
  location.assign(`/login?next=${encodeURIComponent(here)}`);
}
