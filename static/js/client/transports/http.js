/** Requests of the transports: what may come of one is an answer of ours, or an `Ended` that says why not. */

import { Ended } from "../errors.js";

/**
 * The address of a transport, under its neutral name. What is undefined or null is left out;
 * the nonce keeps caches on the way from answering.
 */
export function address(world, path, query = {}) {
  const url = new URL(path, world.base);
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null) url.searchParams.set(name, value);
  url.searchParams.set("n", world.uuid().slice(0, 8));
  return url.href;
}

/** The answer to a request, where our server gave it with 200 or 201. Throws Ended. */
export async function ask(world, url, { method = "GET", body, type, accept, token, signal } = {}) {
  const headers = { ...(type && { "Content-Type": type }), ...(accept && { Accept: accept }), ...(token && { Authorization: `Bearer ${token}` }) };
  const credentials = token ? "omit" : "same-origin";
  let answer;
  try {
    answer = await world.fetch(url, { method, body, headers, signal, credentials, cache: "no-store", redirect: "manual" });
  } catch (error) {
    throw new Ended("cut", { message: error.message });
  }
  if (answer.status === 200 || answer.status === 201) return answer;
  throw await refusal(answer);
}

/** The JSON of an answer, if it is an object of the wanted shape; a page in its place is foreign. */
export async function jsonOf(answer, fits) {
  let text;
  try {
    text = await answer.text();
  } catch (error) {
    throw new Ended("cut", { message: error.message, inBody: true });
  }
  let value = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Cut in the middle of ours, or not ours at all.
    throw new Ended(/^\s*\{/.test(text) ? "cut" : "foreign", { inBody: true });
  }
  if (!fits(value)) throw new Ended("foreign");
  return value;
}

async function refusal(answer) {
  const { status } = answer;
  if (answer.type === "opaqueredirect" || (status >= 300 && status < 400)) return new Ended("foreign", { status });
  const ours = (answer.headers.get("Content-Type") ?? "").startsWith("application/problem+json");
  const problem = ours ? await answer.json().catch(() => null) : null;
  // What is not read would keep its connection.
  if (!ours) answer.body?.cancel?.()?.catch?.(() => {});
  if (!problem?.code) return new Ended("refused", { status });
  const retryMs = 1000 * Number(answer.headers.get("Retry-After")) || null;
  const { code, detail: message } = problem;
  if (code === "other_user") return new Ended("over", { status, message });
  const kind = status === 401 ? "unauthorised" : status === 429 || status >= 500 || status === 408 ? "limited" : "forbidden";
  return new Ended(kind, { status, retryMs, code, message });
}

/** What an answer brings, as text, piece by piece, until it ends. Throws Ended where it breaks off. */
export async function* pieces(answer, signal) {
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } catch (error) {
    throw new Ended("cut", { message: error.message, inBody: true });
  } finally {
    if (!signal.aborted) reader.cancel().catch(() => {});
  }
}
