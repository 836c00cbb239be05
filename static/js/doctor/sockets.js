// WebSockets: whether they open, whether what is sent comes back, and for how long.

import { PATIENCE, address, now, wait } from "./way.js";

const ECHOES = 4;
const GRACE = 3000;
const EVERY = 2000;

/** An open one as { echo(number, patience): ms, closed: Promise, close() }. Rejects with why not. */
function opened() {
  const [url] = address("w");
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  let heard = null;
  let over;
  const closed = new Promise((done) => (over = done));
  socket.onmessage = ({ data }) => heard?.(data);
  const echo = (number, patience) =>
    new Promise((done, fail) => {
      const began = now();
      const timer = setTimeout(() => fail("silent"), patience);
      closed.then(() => fail("cut"));
      heard = (data) => {
        clearTimeout(timer);
        data === `{"k": ${number}}` ? done(now() - began) : fail("changed");
      };
      socket.send(String(number));
    });
  return new Promise((done, fail) => {
    const timer = setTimeout(() => (fail("silent"), socket.close()), PATIENCE);
    socket.onopen = () => (clearTimeout(timer), done({ echo, closed, close: () => socket.close() }));
    socket.onclose = () => (over(), fail("refused"));
  });
}

export async function socket() {
  const found = { why: "", status: 0, is_open: false, first: 0, rtt: 0 };
  const began = now();
  let open;
  try {
    open = await opened();
    found.is_open = true;
    const trips = [];
    for (let number = 0; number < ECHOES; number++) {
      trips.push(await open.echo(number, PATIENCE));
      found.first ||= now() - began;
    }
    found.rtt = Math.min(...trips);
  } catch (why) {
    found.why = String(why);
  }
  open?.close();
  return found;
}

/** One that is kept for so long: silent, or with a number every now and then. */
export async function kept(seconds, talks) {
  const found = { why: "", status: 0, lasted: 0 };
  const began = now();
  let open;
  try {
    open = await opened();
    for (let number = 1; found.lasted < seconds; number++) {
      const pause = Math.min(talks ? EVERY : Infinity, seconds * 1000 - (now() - began));
      await Promise.race([wait(Math.max(0, pause)), open.closed]);
      await open.echo(number, GRACE);
      found.lasted = Math.min(seconds, (now() - began) / 1000);
    }
  } catch (why) {
    found.why = String(why);
    if (why !== "silent") found.lasted = (now() - began) / 1000;
  }
  open?.close();
  return found;
}
