/** The door to the environment: the only file of the connection that touches globals. */

/**
 * What the client needs of a page or of a worker; a test gives it a world of its own.
 * `url`: the address of the server, by default the one that this came from.
 */
export function browserWorld(url = location.origin) {
  return {
    base: new URL("/", new URL(url, location.href)).href,
    now: () => Date.now(),
    setTimeout: (work, ms) => setTimeout(work, ms),
    clearTimeout: (id) => clearTimeout(id),
    random: Math.random,
    fetch: (address, init) => fetch(address, init),
    WebSocket: globalThis.WebSocket,
    online: () => navigator.onLine !== false,
    network: () => navigator.connection?.type ?? "any",
    uuid,
  };
}

/** A random v4 UUID; `crypto.randomUUID` is missing on plain http with a host name. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
