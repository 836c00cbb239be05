/**
 * Files on their way to the server: in pieces as large as the network bears, from where they were cut off.
 * The server knows a file by its `id`: who asks for it again gets the same upload, and how much of it is there.
 */

import { Ended, Refused, Unauthorised, Unsent } from "./errors.js";
import { address, ask, jsonOf } from "./transports/http.js";

const FIRST = 256 * 1024;
const LEAST = 16 * 1024;
const MOST = 4096 * 1024;
const QUICK_MS = 1000;
const SLOW_MS = 10000;
const PATIENCE_MS = 30000;
const ALONE_MS = 8000; // where nothing else goes on meanwhile
const CALM = 4; // pieces that must pass after one was lost, before larger ones are tried

/** A proxy may refuse bodies of a kind that others let pass. */
const MAY_BE_THE_FORM = new Set([400, 403, 405, 406, 411, 415, 501]);
const CONFLICT = 409;
const UNREADABLE = "unreadable";

export class Uploads {
  #world;
  #ctx;
  #piece = FIRST;
  #most = MOST;
  #good = 0;
  #isForm = false;

  /**
   * `ctx`: { user, token() }, whose requests these are; `isSerial()`: whether requests go one by one; `inTurn(work)`:
   * does it when it may. `sent(ended)`: one was refused by somebody on the way, or null: passed; `starved()`: not
   * answered, however small.
   */
  constructor({ world, ctx }) {
    this.#world = world;
    this.#ctx = ctx;
  }

  /**
   * Brings `{ id, name, size, blob }` to this chat, or what is not there yet of it; resolves with the `attachment`.
   * `onSent(bytes, upload_id)`: so much is there. Rejects with Refused, Unsent, Unauthorised, or Ended "over".
   */
  async bring(chatId, file, signal, onSent) {
    try {
      let upload = await this.#begin(chatId, file, signal);
      while (!upload.attachment) {
        onSent(upload.offset, upload.upload_id);
        upload = await this.#next(upload, file, signal);
      }
      return upload.attachment;
    } catch (error) {
      throw outcomeOf(error);
    }
  }

  /** Nobody wants this file any more. What cannot be told to the server it finds out itself, later. */
  drop({ attachment_id: made, upload_id: begun, code }) {
    if (code && code !== UNREADABLE) return; // the server has refused it, and keeps nothing of it
    const path = made ? `api/attachments/${made}` : begun && `api/uploads/${begun}`;
    if (path) this.#ctx.inTurn(() => this.#ask(path, { method: "DELETE" })).catch(() => {});
  }

  async #begin(chatId, { id, name, size }, signal) {
    const fields = { name, size, client_id: id };
    const asText = () => ({ type: "text/plain;charset=UTF-8", body: JSON.stringify(fields) });
    const asForm = () => ({ type: "application/x-www-form-urlencoded", body: new URLSearchParams(fields).toString() });
    const send = () => this.#upload(`api/chats/${encodeURIComponent(chatId)}/uploads`, { ...(this.#isForm ? asForm() : asText()), signal });
    return this.#inEitherForm(() => this.#ctx.inTurn(send)).catch((ended) => {
      if (ended.kind === "silent") this.#ctx.starved();
      throw ended;
    });
  }

  /** One piece; the upload as it is then. */
  async #next({ upload_id: id, offset, size }, { blob }, signal) {
    const piece = await bytesOf(blob.slice(offset, offset + this.#piece));
    let began = 0;
    const send = () => {
      began = this.#world.now();
      return this.#upload(`api/uploads/${id}`, { ...this.#bodyOf(piece), query: { offset }, signal });
    };
    try {
      const upload = await this.#inEitherForm(() => this.#ctx.inTurn(send));
      // The last one is answered when the file was looked at.
      if (!upload.attachment) this.#passed(this.#world.now() - began);
      return upload;
    } catch (ended) {
      if (!signal.aborted && this.#shrinks(ended, piece.byteLength)) return { upload_id: id, offset, size };
      throw ended;
    }
  }

  #bodyOf(piece) {
    if (!this.#isForm) return { type: "application/octet-stream", body: piece };
    const body = new FormData();
    body.append("chunk", new Blob([piece]), "chunk");
    return { body };
  }

  /** Where it was refused for how it is written, perhaps, the other way. */
  async #inEitherForm(work) {
    try {
      return await work();
    } catch (ended) {
      if (ended.kind !== "refused" || !MAY_BE_THE_FORM.has(ended.status)) throw ended;
      this.#isForm = !this.#isForm;
      return work();
    }
  }

  #passed(ms) {
    this.#good += 1;
    if (ms > SLOW_MS) this.#piece = Math.max(LEAST, this.#piece >> 1);
    else if (ms < QUICK_MS && this.#good > 0) this.#piece = Math.min(this.#most, 2 * this.#piece);
  }

  /** A piece of so many bytes failed: the next ones are smaller; whether that may be all that was wrong. */
  #shrinks({ kind, status }, bytes) {
    const isTooLarge = kind === "refused" && status === 413;
    if (!isTooLarge && kind !== "cut" && kind !== "silent") return false;
    if (!bytes) return false; // it is the server that takes its time
    this.#good = -CALM;
    this.#piece = Math.max(LEAST, Math.min(this.#piece, bytes) >> 1);
    if (isTooLarge) this.#most = this.#piece;
    return isTooLarge && bytes > LEAST;
  }

  async #upload(path, how) {
    return this.#ask(path, { method: "POST", ...how }, (answer) => jsonOf(answer, isUpload));
  }

  async #ask(path, { query, signal, ...how }, read) {
    const stop = new AbortController();
    const end = () => stop.abort();
    let isLate = false;
    const timer = this.#world.setTimeout(() => ((isLate = true), end()), this.#ctx.isSerial() ? ALONE_MS : PATIENCE_MS);
    signal?.addEventListener("abort", end);
    try {
      const url = address(this.#world, path, { ...query, u: this.#ctx.user });
      if (signal?.aborted) throw new Ended("cut");
      const answer = await ask(this.#world, url, { ...how, accept: "application/json", token: this.#ctx.token(), signal: stop.signal });
      this.#ctx.sent(null);
      return await read?.(answer);
    } catch (error) {
      if (error.kind === "refused") this.#ctx.sent(error);
      throw isLate ? new Ended("silent") : error;
    } finally {
      this.#world.clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }
}

/** Read here: that a file cannot be read any more would look like a network that is cut. */
function bytesOf(blob) {
  return blob.arrayBuffer().catch(() => {
    throw new Refused({ code: UNREADABLE, status: 422, message: "The file cannot be read any more." });
  });
}

function isUpload(value) {
  return typeof value?.upload_id === "string" && Number.isSafeInteger(value.offset) && Number.isSafeInteger(value.size);
}

/** What the end of a request means for the message that waits for the file. */
function outcomeOf(error) {
  const { kind, code, status, message, retryMs } = error;
  if (kind === "unauthorised") return new Unauthorised();
  if (!kind || kind === "over") return error;
  // The upload is gone, or another request went on with it: where it stands is asked for anew.
  const isMoved = code === "upload_not_found" || status === CONFLICT;
  if (kind === "limited" || (kind === "forbidden" && !isMoved)) return Object.assign(new Refused({ code, status, message, retryable: kind === "limited" }), { retryMs });
  return new Unsent(message);
}
