import { eventsOf } from "../check.js";
import { reading } from "./stream.js";

// Of an event only `data` is needed, which is one line of JSON: it carries id and type too.
const DATA = /^data: ?(.*)$/;
const FIELD = /^(data|id|event|retry)?:/;

/** Server-Sent Events, read by `fetch`: unlike an EventSource it says why it was refused, and takes headers. */
export const sse = {
  name: "sse",
  open: (ctx) => reading(ctx, "t/e", "text/event-stream", (line) => {
    if (line.trim() && !FIELD.test(line)) throw new TypeError("not a stream of events");
    const [, data] = DATA.exec(line) ?? [];
    return data && eventsOf(JSON.parse(data));
  }),
};
