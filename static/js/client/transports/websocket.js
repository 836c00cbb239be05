import { eventsOf } from "../check.js";
import { Ended } from "../errors.js";
import { address } from "./http.js";

const MOST_UNSENT = 1 << 20;
const OPEN = 1;

/** Events and commands over one WebSocket, each frame a list of events. */
export const websocket = {
  name: "websocket",
  open(ctx) {
    const query = { ...ctx.query, c: ctx.cursor(), hb: ctx.heartbeat, ramp: 1, chain: 1, batch: 1 };
    let socket;
    try {
      socket = new ctx.world.WebSocket(address(ctx.world, "t/w", query).replace(/^http/, "ws"));
    } catch (error) {
      // The page may not, or there is no such thing here.
      Promise.resolve().then(() => ctx.onEnd(new Ended("forbidden", { message: error.message })));
      return { send: () => false, close: () => {} };
    }
    let opened = false;
    const close = () => {
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
      socket.close();
    };
    const end = (ended) => (close(), ctx.onEnd(ended));
    const send = (text) => {
      if (socket.readyState !== OPEN || socket.bufferedAmount > MOST_UNSENT) return false;
      socket.send(text);
      return true;
    };
    socket.onopen = () => {
      opened = true;
      if (ctx.token) send(JSON.stringify({ type: "auth", data: { token: ctx.token } }));
      ctx.onOpen();
    };
    socket.onmessage = ({ data }) => {
      let events;
      try {
        events = eventsOf(JSON.parse(data));
      } catch (error) {
        return end(new Ended("foreign", { message: error.message }));
      }
      return ctx.onEvents(events);
    };
    socket.onclose = ({ code }) => end(reason(code, opened));
    return { send, close };
  },
};

function reason(code, opened) {
  if (code === 4401) return new Ended("unauthorised");
  if (code === 4403) return new Ended("forbidden", { status: 403 });
  if (code === 4429 || code === 1013) return new Ended("limited", { status: 429 });
  if (code === 1000 || code === 1001) return new Ended("closed");
  return opened ? new Ended("cut", { inBody: true }) : new Ended("refused");
}
