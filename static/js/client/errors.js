/** What can come of a command, and of a connection. */

/** The session is over, or its token must be renewed. */
export class Unauthorised extends Error {
  name = "Unauthorised";
}

/** The server refused a command and said why; `message` is for people. */
export class Refused extends Error {
  name = "Refused";

  constructor({ code = "refused", message, status = 0, retryable = false } = {}) {
    super(message || `The server said ${status}.`);
    Object.assign(this, { code, status, retryable });
  }
}

/** A command may or may not have arrived: nobody answered. The same one may be sent again. */
export class Unsent extends Error {
  name = "Unsent";
}

/**
 * Why a connection or a request ended. `kind`:
 *   "closed"        in order, by the server
 *   "goodbye"       the server goes down; come back after `retryMs`
 *   "cut"           broken off, or never made
 *   "refused"       by a proxy, or a handshake that failed (`status`, 0 where unknown)
 *   "limited"       by our server for a while (429, 503)
 *   "forbidden"     by our server for good
 *   "unauthorised"  by our server: renew the token
 *   "over"          somebody else is logged in here now
 *   "foreign"       somebody else answered: a captive portal, a proxy's own page
 *   "silent"        nothing came for too long
 *   "lossy"         it did not bring what it said that it sent
 *   "stale"         it began after what others have brought already
 */
export class Ended extends Error {
  name = "Ended";

  constructor(kind, more = {}) {
    super(more.message ?? kind);
    this.kind = kind;
    this.status = more.status ?? 0;
    this.retryMs = more.retryMs ?? null;
    /** What our server called it, where it did. */
    this.code = more.code;
    /** Whether it was cut while something came. */
    this.inBody = more.inBody ?? false;
  }
}
