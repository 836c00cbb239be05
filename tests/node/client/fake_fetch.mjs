/** `fetch` as a client of the scripted network sees it: only what quartchat's own client uses of it. */

import { parts } from "./where.mjs";

export function fakeFetch(net) {
  return (url, init = {}) => {
    const method = init.method ?? "GET";
    const { kind, ...where } = parts(url, method);
    const headers = Object.fromEntries(Object.entries(init.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
    return new Exchange(net, kind, { ...where, method, url, headers, body: init.body }, init).answer;
  };
}

class Exchange {
  #net;
  #conn;
  #init;
  #settle;
  #body = null;
  #unlisten = () => {};

  constructor(net, kind, request, init) {
    this.#net = net;
    this.#init = init;
    this.answer = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    const { signal } = init;
    if (signal?.aborted) return this.#settle.reject(signal.reason);
    this.kind = kind;
    net.inFlight.add(this);
    this.#conn = net.connect(kind, request, (item) => this.#take(item));
    const abort = () => this.#abort(signal.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#unlisten = () => signal?.removeEventListener("abort", abort);
  }

  #abort(reason) {
    this.#over();
    this.#conn.abort();
    this.#settle.reject(reason);
    this.#body?.fail(reason);
  }

  #over() {
    this.#net.inFlight.delete(this);
    this.#unlisten();
  }

  #take(item) {
    if (item.is === "head") return this.#head(item);
    if (item.is === "data") return this.#body.push(item.bytes);
    this.#over();
    if (item.is === "end" && this.#body) return this.#body.end();
    const error = new TypeError("Failed to fetch");
    this.#settle.reject(error);
    return this.#body?.fail(error);
  }

  #head({ status, headers }) {
    this.#body = new Body(() => this.#abort(new TypeError("cancelled")));
    const opaque = status >= 300 && status < 400 && this.#init.redirect === "manual";
    if (opaque) (this.#over(), this.#conn.abort());
    const body = this.#body;
    const text = async () => Buffer.concat(await body.all()).toString();
    this.#settle.resolve({
      status: opaque ? 0 : status,
      ok: !opaque && status >= 200 && status < 300,
      type: opaque ? "opaqueredirect" : "basic",
      redirected: false,
      headers: { get: (name) => (opaque ? null : (headers[name.toLowerCase()] ?? null)) },
      body,
      text,
      json: async () => JSON.parse(await text()),
    });
  }
}

/** A body that is read piece by piece. */
class Body {
  #pieces = [];
  #state = null; // { done } or { error }
  #wake = () => {};
  #cancel;

  constructor(cancel) {
    this.#cancel = cancel;
  }

  push(bytes) {
    this.#pieces.push(bytes);
    this.#wake();
  }

  end() {
    this.#state ??= { done: true };
    this.#wake();
  }

  fail(error) {
    this.#state ??= { error };
    // As in a browser: what has not been read by then is gone.
    this.#pieces = [];
    this.#wake();
  }

  async cancel() {
    if (!this.#state) this.#cancel();
  }

  getReader() {
    return { read: () => this.#read(), cancel: () => this.cancel(), releaseLock() {} };
  }

  async all() {
    const all = [];
    for (;;) {
      const { done, value } = await this.#read();
      if (done) return all;
      all.push(value);
    }
  }

  async #read() {
    while (!this.#pieces.length && !this.#state) await new Promise((resolve) => (this.#wake = resolve));
    if (this.#pieces.length) return { done: false, value: new Uint8Array(this.#pieces.shift()) };
    if (this.#state.error) throw this.#state.error;
    return { done: true, value: undefined };
  }
}
