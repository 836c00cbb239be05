/** The entry of the SharedWorker that holds the one connection of all tabs. */

import { Engine } from "./engine.js";
import { Hub } from "./hub.js";
import { browserWorld } from "./world.js";

let hub = null;

/** `options` of the first tab: the name of the worker says that those of all others are the same. */
function opened(options) {
  const world = browserWorld(options.url);
  const makeEngine = (out, { memory }) => new Engine({ world, options, memory, out });
  return new Hub({ world, makeEngine });
}

globalThis.onconnect = ({ ports: [port] }) => {
  const reply = (message) => port.postMessage(message);
  port.onmessage = ({ data }) => {
    if (data.is !== "open") return hub?.take(port, data, reply);
    hub ??= opened(data.options);
    return reply({ is: "opened" });
  };
};
