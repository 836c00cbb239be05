/** Requests to the server with the session's cookies, renewed when they have expired. */

export class Unauthorised extends Error {}

/** A refusal that the server explained; `message` is for people. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.message || problem?.title || `The server said ${status}.`);
    this.status = status;
    this.code = problem?.code;
  }

  /** Whether the same request may be taken another time. */
  get mayPass() {
    return this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

/** A random v4 UUID; `crypto.randomUUID` is missing on plain http with a host name. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Sends JSON, answers the parsed body or null. Throws Refused, Unauthorised, or what fetch throws. */
export async function call(method, path, body, { timeout = 15000 } = {}) {
  const began = Date.now();
  const ask = () =>
    fetch(path, {
      method,
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout?.(timeout),
    });
  let answer = await ask();
  if (answer.status === 401) {
    await renew(began);
    answer = await ask();
  }
  if (answer.status === 401) throw new Unauthorised();
  const parsed = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer.status, parsed);
  return parsed;
}

const RENEWED = "quartchat-renewed";
let renewing = null;

/**
 * Renews the session's cookies, once for all tabs: a refresh token that two tabs used at
 * the same time would look stolen. Does nothing when some tab has renewed after `since`
 * (ms). Throws Unauthorised when the session is over.
 */
export function renew(since = Date.now()) {
  renewing ??= alone(() => renewNow(since)).finally(() => (renewing = null));
  return renewing;
}

function alone(work) {
  return navigator.locks ? navigator.locks.request(RENEWED, work) : work();
}

async function renewNow(since) {
  if (lastRenewal() > since) return;
  const answer = await fetch("/api/token/renew", { method: "POST" });
  if (answer.status === 401 || answer.status === 403) throw new Unauthorised();
  if (!answer.ok) throw new Refused(answer.status);
  try {
    localStorage.setItem(RENEWED, String(Date.now()));
  } catch {
    // Storage can be forbidden; then each tab renews for itself.
  }
}

function lastRenewal() {
  try {
    return Number(localStorage.getItem(RENEWED));
  } catch {
    return 0;
  }
}

/** To the login page, and back here afterwards. */
export function logIn() {
  const here = location.pathname + location.search;
  location.assign(`/login?next=${encodeURIComponent(here)}`);
}
