/*
 * In a page or a worker: `__made` counts the requests that scripts make, WebSockets among them, and notes those that
 * fail. It may come after the client, which took hold of the class of WebSockets by then: they are known by their
 * handler.
 */
(() => {
  if (self.__made) return;
  const made = (self.__made = { requests: 0, log: [] });
  const note = (address, what) => made.log.push(`${(Date.now() / 1000).toFixed(1)} ${String(address).slice(0, 120)} ${what}`);
  const { fetch } = self;
  self.fetch = (address, init) => {
    made.requests += 1;
    const answer = fetch(address, init);
    answer.then(
      ({ status }) => status >= 400 && note(address, status),
      (error) => note(address, error.message),
    );
    return answer;
  };
  const known = new WeakSet();
  const { get, set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onopen");
  Object.defineProperty(WebSocket.prototype, "onopen", {
    configurable: true,
    get,
    set(handler) {
      if (!known.has(this)) {
        known.add(this);
        made.requests += 1;
        this.addEventListener("close", ({ code }) => note(this.url, `closed ${code}`));
      }
      set.call(this, handler);
    },
  });
})();
