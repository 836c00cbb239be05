/**
 * The ways to the log, best first; all of one shape:
 *
 *   open({ cursor, onEvent, signal }) -> Promise
 *
 * `onEvent` gets each event as an object, in order. The promise resolves when the server
 * ended the connection, rejects when it failed or `signal` aborted it, and rejects with
 * Unauthorised when the session must be renewed first.
 */

import { Unauthorised, uuid } from "./api.js";

const POLL_SECONDS = 25;

export const webSocket = {
  name: "WebSocket",
  open({ cursor, onEvent, signal }) {
    const url = address("/t/w", cursor, { batch: 1 });
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => (socket.close(), reject(signal.reason)), { once: true });
      socket.onmessage = ({ data }) => {
        try {
          [JSON.parse(data)].flat().forEach(onEvent);
        } catch (error) {
          socket.close();
          reject(error);
        }
      };
      socket.onclose = ({ code }) => {
        if (code === 4401) reject(new Unauthorised());
        else if (code === 1000 || code === 1001) resolve();
        else reject(new Error(`The WebSocket closed with ${code}`));
      };
    });
  },
};

export const stream = {
  name: "streaming",
  async open({ cursor, onEvent, signal }) {
    const answer = await get(address("/t/s", cursor, { pad: 1 }), signal);
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop();
      lines.filter((line) => line.trim()).forEach((line) => onEvent(JSON.parse(line)));
    }
  },
};

export const poll = {
  name: "polling",
  async open({ cursor, onEvent, signal }) {
    // The first answer comes at once: it is the proof that this way works.
    for (let timeout = 0; ; timeout = POLL_SECONDS) {
      const answer = await get(address("/t/p", cursor, { timeout }), signal);
      const { events, last_event_id: last } = await answer.json();
      events.forEach(onEvent);
      cursor = last ?? cursor;
      onEvent({ type: timeout ? "heartbeat" : "caught_up" });
    }
  },
};

export const transports = [webSocket, stream, poll];

function address(path, cursor, more) {
  const url = new URL(path, location.href);
  // The nonce keeps caches on the way from answering.
  url.search = new URLSearchParams({ html: 1, last_event_id: cursor, n: uuid().slice(0, 8), ...more });
  return url;
}

async function get(url, signal) {
  const answer = await fetch(url, { signal, cache: "no-store" });
  if (answer.status === 401) throw new Unauthorised();
  if (!answer.ok) throw new Error(`The server said ${answer.status}`);
  return answer;
}
