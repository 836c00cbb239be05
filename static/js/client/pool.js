/** How many connections to a host a browser keeps over HTTP/1.1 that nothing uses: counted by some proxies, dead on some ways. */
export const POOL = 6;

/** How many times as long each next attempt is waited for, until none of those can be left. */
export const SLOWER = 1.2;
