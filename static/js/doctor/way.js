// One request on the way to the server, and what it says of that way.

const NAMES = { "application/problem+json": true };
export const PATIENCE = 8000;

export const now = () => performance.now();
export const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const name = () => Math.random().toString(36).slice(2, 14);

/** [address, its name]: a new one for each request, so that an old answer is known as such. */
export function address(where, query = {}) {
  const called = name();
  const url = new URL(`/t/d/${where}`, location.href);
  for (const [key, value] of Object.entries({ n: called, ...query })) url.searchParams.set(key, value);
  return [url, called];
}

export const options = (ms, more = {}) => ({ cache: "no-store", signal: AbortSignal.timeout(ms), ...more });

/** Why a fetch failed. */
export const failure = (error) => (error.name === "TimeoutError" || error.name === "AbortError" ? "silent" : "unreachable");

/** { plain: {why, status, ms}, data }: `data` where the answer is the server's own. */
export async function ask(where, { query, patience = PATIENCE, ...init } = {}) {
  const [url, called] = address(where, query);
  const began = now();
  const end = (why, status = 0, data = {}) => ({ plain: { why, status, ms: now() - began }, data });
  try {
    const response = await fetch(url, options(patience, init));
    const kind = (response.headers.get("content-type") ?? "").split(";")[0];
    const body = await response.text();
    if (NAMES[kind]) return { ...end(isBusy(body) ? "busy" : "refused", response.status), problem: true };
    if (!response.ok) return end("refused", response.status);
    const data = object(body);
    if (data.n === called) return end("", response.status, data);
    return end(kind === "text/html" ? "html" : "changed", response.status);
  } catch (error) {
    return end(failure(error));
  }
}

/** For what is a yes or no: once more if it failed. */
export async function askTwice(...args) {
  const answer = await ask(...args);
  return answer.plain.why ? ask(...args) : answer;
}

const isBusy = (body) => object(body).code === "rate_limited";

function object(body) {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
}
