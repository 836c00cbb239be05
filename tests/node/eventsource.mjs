/** The npm package `eventsource`, as it is: prints a line of JSON per event. */
import { EventSource } from "eventsource";

const { ADDRESS, TOKEN, TYPES = "" } = process.env;
const source = new EventSource(ADDRESS, {
  fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, Authorization: `Bearer ${TOKEN}` } }),
});
const show = ({ type, data, lastEventId }) =>
  process.stdout.write(`${JSON.stringify({ ...JSON.parse(data), by: type, lastEventId })}\n`);
source.addEventListener("message", show);
for (const type of TYPES.split(",").filter(Boolean)) source.addEventListener(type, show);
source.addEventListener("error", ({ code, message }) => process.stderr.write(`${code ?? ""} ${message ?? ""}\n`));
