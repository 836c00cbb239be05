/** One connection or request on its way: client – line – gateway with its rules – server. */

const FORGET_MS = 30000; // a side that hears nothing any more lets go

export class Conn {
  #net;
  #toClient;
  #server = null;
  #downStages = [];
  #upStages = [];
  #lastDown = 0;
  #lastUp = 0;
  #isDone = false; // nothing more goes to the client
  #answered = false;
  isLost = false;
  isAtGateway = false;

  /** `toClient(item)` gets what arrives there, at last "end", "close" or "cut". */
  constructor(net, kind, request, toClient) {
    this.#net = net;
    this.#toClient = toClient;
    this.kind = kind;
    this.request = request;
    net.conns.add(this);
    if (net.hole === "fail") net.clock.after(2, () => this.#hand({ is: "cut" }));
    else this.#up((request.body?.length ?? 0) + 500, () => this.#arrive());
  }

  /** A frame of the client. */
  send(text) {
    this.#up(text.length, () => {
      let pass = (item) => this.#server?.receive?.(item.text);
      for (const stage of this.#upStages.toReversed()) {
        const next = pass;
        pass = (item) => stage(item, next);
      }
      pass({ is: "frame", text });
    });
  }

  /** The client wants no more of it. */
  abort() {
    if (this.#isDone) return;
    this.#isDone = true;
    if (this.isLost) this.#net.clock.after(FORGET_MS, () => this.#leave());
    else this.#up(40, () => this.#leave(), () => this.#leave());
  }

  /** Nothing goes through any more, and nobody is told. */
  vanish() {
    if (this.isLost) return;
    this.isLost = true;
    this.#net.clock.after(FORGET_MS, () => this.#leave());
  }

  /** The gateway ends it, in order or not. */
  finish(inOrder) {
    const broken = !inOrder || (this.kind !== "websocket" && !this.#answered);
    this.#leave();
    this.#travel(broken ? { is: "cut" } : { is: "end" });
  }

  /** Both ends see a reset at once: the network has changed under them. */
  cut() {
    this.#leave();
    this.#net.clock.after(1, () => this.#hand({ is: "cut" }));
  }

  /** The gateway's own answer, in the place of the server's. */
  answerInstead(status, text = "<html>Gateway</html>", type = "text/html") {
    if (this.#isDone) return;
    this.#leave();
    this.#travel({ is: "head", status, headers: { "content-type": type } });
    this.#travel({ is: "data", bytes: Buffer.from(text) });
    this.#travel({ is: "end" });
  }

  #arrive() {
    this.isAtGateway = true;
    let repeats = null;
    for (const rule of this.#net.rules) {
      const said = rule.admit?.(this) ?? null;
      if (said?.hang) return this.vanish();
      if (said?.fail) return this.finish(false);
      if (said?.status) return void this.#net.clock.after(said.afterMs ?? 0, () => this.#refuse(said));
      repeats = said ?? repeats;
    }
    for (const rule of this.#net.rules) {
      const [down, up] = [rule.down?.(this), rule.up?.(this)];
      if (down) this.#downStages.push(down);
      if (up) this.#upStages.push(up);
      rule.opened?.(this);
    }
    if (!this.isLost && this.isAtGateway) this.#reach(repeats);
  }

  #refuse({ status, text, type }) {
    if (this.kind === "websocket") this.finish(false);
    else this.answerInstead(status, text, type);
  }

  #reach(repeats) {
    const { server } = this.#net;
    if (server.isDown) return this.finish(false);
    if (this.kind === "websocket") return this.#openSocket(server);
    return this.#request(server, repeats?.retries ?? 0, repeats);
  }

  #openSocket(server) {
    this.#down({ is: "accept" });
    this.#server = server.socket(this.request, {
      frame: (text) => this.#down({ is: "frame", text, bytes: Buffer.from(text) }),
      close: (code) => this.#down({ is: "close", code }),
    });
  }

  #request(server, more, repeats) {
    let begun = false;
    const counts = () => (begun = true) && (more === 0 || repeats.untilAnswered);
    const reply = {
      head: (status, headers) => counts() && this.#down({ is: "head", status, headers }),
      data: (text) => counts() && this.#down({ is: "data", bytes: Buffer.from(text) }),
      end: () => counts() && this.#down({ is: "end" }),
    };
    this.#server = server.http(this.request, reply);
    if (more === 0) return;
    this.#net.clock.after(repeats.everyMs, () => {
      if (!this.isAtGateway || (begun && repeats.untilAnswered)) return;
      this.#server?.gone();
      this.#request(server, more - 1, repeats);
    });
  }

  #down(item) {
    if (!this.isAtGateway || this.isLost) return;
    let pass = (passed) => this.#travel(passed);
    for (const stage of this.#downStages) {
      const next = pass;
      pass = (passed) => this.isLost || stage(passed, next);
    }
    pass(item);
  }

  #travel(item) {
    if (item.is === "head") this.#answered = true;
    if (item.is === "end" || item.is === "close") this.#leave();
    const { clock } = this.#net;
    this.#lastDown = Math.max(this.#lastDown, clock.elapsed + this.#net.tripMs("down", item.bytes?.length ?? 40));
    clock.after(this.#lastDown - clock.elapsed, () => this.#net.land(this, () => this.#hand(item)));
  }

  #up(size, work, otherwise = () => {}) {
    const { clock } = this.#net;
    this.#lastUp = Math.max(this.#lastUp, clock.elapsed + this.#net.tripMs("up", size));
    clock.after(this.#lastUp - clock.elapsed, () => (this.isLost ? otherwise() : this.#net.land(this, work, otherwise)));
  }

  #hand(item) {
    if (this.#isDone || this.isLost) return;
    this.#isDone = ["end", "cut", "close"].includes(item.is);
    this.#toClient(item);
    if (this.#isDone) this.#leave();
  }

  #leave() {
    this.isAtGateway = false;
    this.cancelIdle?.();
    this.#server?.gone();
    this.#server = null;
    if (this.#isDone || this.isLost) this.#net.conns.delete(this);
  }
}
