/** The link of a face to the SharedWorker. */

const OPEN_MS = 2000;

/**
 * Resolves with the link once the worker has answered. Rejects where there is none: not known to the
 * browser, not loaded (a policy, a proxy), or silent. `onMessage(message)`: what it says.
 */
export function openShared({ env, world, name, options, generation, onMessage }) {
  return new Promise((resolve, reject) => {
    const url = new URL("./worker.js", import.meta.url);
    const worker = new env.SharedWorker(url, { type: "module", name: `${name} #${generation}`, extendedLifetime: true });
    const { port } = worker;
    const timer = world.setTimeout(() => failed("the worker does not answer"), OPEN_MS);
    const failed = (why) => (world.clearTimeout(timer), port.close(), reject(new Error(why)));
    const link = { send: (message) => port.postMessage(message), close: () => port.close() };
    worker.onerror = () => failed("the worker was not loaded");
    port.onmessage = ({ data }) => {
      if (data.is !== "opened") return onMessage(data);
      world.clearTimeout(timer);
      return resolve(link);
    };
    port.postMessage({ is: "open", options });
  });
}
