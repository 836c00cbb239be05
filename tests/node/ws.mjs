/** The npm package `ws`, as it is: prints each frame, and comes back with its cursor when cut. */
import WebSocket from "ws";

const { ADDRESS, TOKEN } = process.env;
let cursor = null;

function connect() {
  const url = new URL(ADDRESS);
  if (cursor !== null) url.searchParams.set("last_event_id", cursor);
  const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${TOKEN}` } });
  socket.on("message", (frame) => {
    const event = JSON.parse(frame);
    cursor = event.id ?? (event.type === "hello" ? event.data.cursor : cursor);
    process.stdout.write(`${JSON.stringify(event)}\n`);
  });
  socket.on("close", (code) => (process.stderr.write(`closed ${code}\n`), setTimeout(connect, 100)));
  socket.on("error", ({ message }) => process.stderr.write(`${message}\n`));
}

connect();
