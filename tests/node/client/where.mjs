const PATHS = { "/t/w": "websocket", "/t/s": "stream", "/t/e": "sse", "/t/p": "poll", "/api/token/renew": "renew", "/health/live": "probe" };

/** What the server sees of an address: { path, query, kind }. */
export function parts(url, method) {
  const { pathname, searchParams } = new URL(url);
  const isRelease = searchParams.has("long"); // which asks for the end of its connection and nothing else
  const kind = isRelease ? "release" : PATHS[pathname] === "poll" && method === "POST" ? "serial" : (PATHS[pathname] ?? "other");
  return { path: pathname, query: Object.fromEntries(searchParams), kind };
}
