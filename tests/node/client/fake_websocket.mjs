/** `WebSocket` as a client of the scripted network sees it. */

import { parts } from "./where.mjs";

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

/** A class for this network. */
export function fakeWebSocket(net) {
  return class FakeWebSocket {
    #conn;
    onopen = null;
    onmessage = null;
    onclose = null;
    onerror = null;
    readyState = CONNECTING;
    bufferedAmount = 0;

    constructor(url) {
      const { path, query } = parts(url);
      net.sockets.add(this);
      this.#conn = net.connect("websocket", { method: "GET", url, path, query, headers: {} }, (item) => this.#take(item));
    }

    send(text) {
      if (this.readyState === CONNECTING) throw new Error("InvalidStateError: still connecting");
      if (this.readyState === OPEN) this.#conn.send(text);
    }

    close() {
      if (this.readyState >= CLOSING) return;
      this.readyState = CLOSING;
      this.#conn.abort();
      net.clock.after(0, () => this.#closed(1005));
    }

    #take(item) {
      if (this.readyState >= CLOSING) return;
      if (item.is === "accept") {
        this.readyState = OPEN;
        this.onopen?.({});
      } else if (item.is === "frame") this.onmessage?.({ data: item.text });
      else this.#closed(item.is === "close" ? item.code : 1006);
    }

    #closed(code) {
      if (this.readyState === CLOSED) return;
      this.readyState = CLOSED;
      net.sockets.delete(this);
      if (code === 1006) this.onerror?.({});
      this.onclose?.({ code, reason: "" });
    }
  };
}
