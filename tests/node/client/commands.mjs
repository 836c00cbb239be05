/** What the server does at a command, once however often the same one comes. */

export class Commands {
  #log;
  #clock;
  #chance;
  #done = new Map();
  userId = "me";
  /** How often each client_id came. */
  seen = new Map();

  constructor(log, clock, chance) {
    this.#log = log;
    this.#clock = clock;
    this.#chance = chance;
  }

  /** The answering event, null for a command that has none. */
  run({ type, data = {}, request_id }) {
    const answer = (kind, more) => ({ type: kind, data: more, ...(request_id !== undefined && { request_id }) });
    if (type === "typing") return null;
    if (type === "mark_read") return answer("ack", { chat_id: data.chat_id, event_id: this.#log.head });
    if (type === "send_message") return this.#send(data, answer, request_id);
    return refusal("unknown_type", "There is no such command.", 400, request_id);
  }

  #send({ chat_id, content, client_id }, answer, requestId) {
    this.seen.set(client_id, (this.seen.get(client_id) ?? 0) + 1);
    if (content === "never") return refusal("forbidden", "You may not write here.", 403, requestId);
    if (content === "fast" && this.seen.get(client_id) === 1) return refusal("rate_limited", "Slower, please.", 429, requestId);
    if (!this.#done.has(client_id)) this.#done.set(client_id, this.#append(chat_id, content, client_id));
    return answer("ack", this.#done.get(client_id));
  }

  #append(chatId, content, clientId) {
    const message = { chat_id: chatId, message_id: this.#chance.uuid(), sender_id: this.userId, content, client_id: clientId };
    const { id } = this.#log.append("new_message", message);
    return { client_id: clientId, message_id: message.message_id, event_id: id, timestamp: new Date(this.#clock.now()).toISOString() };
  }
}

function refusal(code, message, status, requestId) {
  return { type: "error", data: { code, message, request_id: requestId, retryable: status === 429, status } };
}
