/** Files as the server takes them: begun once per client_id, gone on with from an offset. */

export class Files {
  #uploads = new Map();

  /** What a request comes to: [status, body]; null where it is about no file. */
  answer({ method, path, query, headers, body }) {
    if (method !== "POST") return null;
    if (/^\/api\/chats\/[^/]+\/uploads$/.test(path)) return this.#begin(headers["content-type"]?.startsWith("text/plain") ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body)));
    const id = /^\/api\/uploads\/([^/]+)$/.exec(path)?.[1];
    return id ? this.#take(id, Number(query.offset), body) : null;
  }

  #begin({ client_id: id, size }) {
    const isNew = !this.#uploads.has(id);
    if (isNew) this.#uploads.set(id, { upload_id: id, size: Number(size), offset: 0, attachment: null });
    return [isNew ? 201 : 200, this.#uploads.get(id)];
  }

  #take(id, offset, body) {
    const upload = this.#uploads.get(id);
    if (offset !== upload.offset) return [409, { code: "offset_mismatch", detail: "It goes on elsewhere.", offset: upload.offset }];
    upload.offset += body instanceof FormData ? body.get("chunk").size : body.byteLength;
    if (upload.offset === upload.size) upload.attachment = { attachment_id: `file ${id}` };
    return [200, upload];
  }
}
