// A server that takes files, and a network before it that fails as one likes.

import { World, settled } from "./outbox.world.mjs";

export const KB = 1024;
/** Whose requests they are, in a network where they may go side by side. */
export const asker = () => ({ user: "ada", token: () => null, isSerial: () => false, inTurn: (work) => work(), sent: () => {}, starved: () => {} });
export const ID = /^\/api\/uploads\/([^/]+)$/;

/** A file of so many bytes, no two stretches of it alike. */
export function file(bytes, { id = "f1", name = "photo.jpg" } = {}) {
  const content = Uint8Array.from({ length: bytes }, (_, n) => (n * 31 + (n >> 8) * 17) % 251);
  return { id, name, size: bytes, type: "image/jpeg", blob: new Blob([content]), sent: 0 };
}

const json = (status, body, type = "application/json") => new Response(JSON.stringify(body), { status, headers: { "Content-Type": type } });
const problem = (status, code, more = {}) => json(status, { code, detail: `said ${code}`, ...more }, "application/problem+json");

export class FilesWorld extends World {
  uploads = new Map(); // upload_id -> { client_id, name, size, bytes, attachment }
  requests = []; // { method, path, query, bytes, type }
  /** `(request) => what happens instead`: "cut" (nothing arrives), "lost" (the answer), { part: bytes }, "hang", a Response. */
  trouble = () => null;
  msPerRequest = 0;
  #next = 1;

  fetch = async (address, { method, body, headers, signal }) => {
    const url = new URL(address);
    const piece = body instanceof FormData ? await body.get("chunk").arrayBuffer() : body;
    const request = { method, path: url.pathname, query: Object.fromEntries(url.searchParams), bytes: piece instanceof ArrayBuffer ? piece.byteLength : 0, type: body instanceof FormData ? "multipart" : headers["Content-Type"], n: this.requests.length };
    this.requests.push(request);
    this.at += this.msPerRequest;
    const what = this.trouble(request);
    if (what instanceof Response) return what;
    if (what === "cut") throw new TypeError("cut");
    if (what === "hang") await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    if (what?.part !== undefined) {
      this.#answer(request, piece.slice(0, what.part));
      throw new TypeError("cut");
    }
    const answer = this.#answer(request, piece);
    if (what === "lost") throw new TypeError("cut");
    if (signal?.aborted) throw new Error("aborted");
    return answer;
  };

  #answer(request, body) {
    const [, id] = ID.exec(request.path) ?? [];
    if (request.method === "DELETE") return this.uploads.delete(id), new Response(null, { status: 204 });
    return id ? this.#took(id, request, body) : this.#begun(request, body);
  }

  #begun({ type }, body) {
    const { name, size, client_id } = type.startsWith("text/plain") ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body));
    const old = [...this.uploads].find(([, upload]) => upload.client_id === client_id);
    const id = old?.[0] ?? `u${this.#next++}`;
    if (!old) this.uploads.set(id, { client_id, name, size: Number(size), bytes: new Uint8Array(0), attachment: null });
    return json(old ? 200 : 201, this.#shown(id));
  }

  #took(id, { query }, body) {
    const upload = this.uploads.get(id);
    if (!upload) return problem(404, "upload_not_found");
    if (Number(query.offset) !== upload.bytes.length) return problem(409, "offset_mismatch", { offset: upload.bytes.length });
    upload.bytes = Buffer.concat([upload.bytes, new Uint8Array(body)]);
    if (upload.bytes.length > upload.size) return problem(422, "invalid");
    if (upload.bytes.length === upload.size) upload.attachment = { attachment_id: `a ${upload.client_id}`, name: upload.name };
    return json(200, this.#shown(id));
  }

  #shown(id) {
    const { size, bytes, attachment } = this.uploads.get(id);
    return { upload_id: id, offset: bytes.length, size, attachment };
  }

  refusal = problem;

  /** How many bytes went out in all, and how large the pieces were. */
  get sent() {
    return this.pieces.reduce((sum, bytes) => sum + bytes, 0);
  }

  get pieces() {
    return this.requests.filter(({ path, method }) => method === "POST" && ID.test(path)).map(({ bytes }) => bytes);
  }

  async has({ id, blob }) {
    const upload = [...this.uploads.values()].find((one) => one.client_id === id);
    return Buffer.from(upload?.bytes ?? []).equals(Buffer.from(await blob.arrayBuffer()));
  }
}

export { settled };
