/** Types of quartchat's client for browsers: `import { connect } from "/static/js/client/connect.js"`. */

export type Transport = "websocket" | "stream" | "sse" | "poll" | "serial";

export interface Options {
  /** Address of the server; by default the one that the page came from. */
  url?: string | URL;
  /**
   * An access token, or what gives one whenever it is asked. Without it the session's cookies count,
   * and are renewed by themselves. With one, each tab has its own connection (`mode` "alone").
   */
  token?: string | (() => string | Promise<string>);
  /** Id of the last event that the page shows. Without it: from the head of the log on; 0: all that is kept. */
  cursor?: number | null;
  /** Id of the person. Tabs of the same person share a connection; without it each is for itself, and there is no outbox. */
  user?: string;
  /** Only these chats. */
  chats?: string[];
  /** Events carry `html`, the fragment that the site's own pages show. */
  html?: boolean;
  /** Those that may be used; by default all of them. */
  transports?: Transport[] | null;
  /** The longest silence asked for, in seconds (25). */
  heartbeat?: number;
  /** How tabs share a connection at best; by default as well as the browser allows. */
  mode?: "auto" | Mode;
}

/** One SharedWorker for all tabs; one tab for all others (Web Locks); each for itself. */
export type Mode = "worker" | "locks" | "alone";

export interface Status {
  /**
   * "captive": another page answers in the server's place (a network that wants a login);
   * "waiting": until `nextTryAt`; "over": log in again.
   */
  state: "connecting" | "live" | "waiting" | "offline" | "captive" | "over";
  transport: Transport | null;
  /** Since when the connection is lost, in ms; null while it stands, and at the beginning. */
  since: number | null;
  nextTryAt: number | null;
  /** How many messages came with the return from the last loss. */
  missed: number;
  /** Why the last attempt ended: "cut", "refused", "silent", "foreign", … */
  reason: string | null;
}

/** One event; without `id` it is ephemeral: never stored, never sent again. */
export interface Event<Data = Record<string, unknown>> {
  id?: number;
  type: string;
  data: Data;
  html?: string;
}

export interface Message {
  message_id: string;
  chat_id: string;
  sender_id: string;
  sender: { user_id: string; name: string; email?: string };
  receiver_id?: string;
  content: string | null;
  /** RFC 3339, UTC. */
  timestamp: string;
  client_id?: string | null;
  attachments: Attachment[];
  reply_to: string | null;
  mentions: string[];
  /** Of the message that this one answers. */
  quote?: Record<string, unknown> | null;
  edited_at?: string | null;
  deleted?: boolean;
}

/** A file of a message. Its addresses are of the server, without its name; sizes in pixels of what is shown. */
export interface Attachment {
  attachment_id: string;
  name: string;
  mime_type: string;
  kind: "image" | "video" | "audio" | "file";
  /** In bytes. */
  size: number;
  url: string;
  /** WebP, the longer side at most 320 pixels; of a video its first picture. */
  thumbnail_url: string | null;
  /** The same with 1,280. */
  preview_url: string | null;
  width: number | null;
  height: number | null;
  /** In seconds. */
  duration: number | null;
  animated: boolean;
  /** A very small WebP in base64, to be shown blurred until the picture has come. */
  blur: string | null;
}

export interface Person {
  user_id: string;
  chat_id?: string;
}

export interface Reset {
  type: "reset";
  data: { reason: "expired" | "unknown"; head: number };
}

export interface EventTypes {
  new_message: Event<Message>;
  message_edited: Event<Partial<Message> & { message_id: string; chat_id: string }>;
  message_deleted: Event<{ message_id: string; chat_id: string }>;
  messages_read: Event<Person & { event_id: number }>;
  user_joined: Event<Person>;
  user_left: Event<Person>;
  user_typing: Event<Person & { name?: string }>;
  user_stopped_typing: Event<Person>;
  user_online: Event<Person>;
  user_away: Event<Person>;
  user_offline: Event<Person>;
  notification: Event<{ notification_type: string }>;
  /** Every event, of any type. */
  "*": Event;
  status: Status;
  /** The log cannot go on from the page's cursor: load what it shows anew. */
  reset: Reset;
  /** The session has ended: log in again; "other_user": somebody else is logged in in this browser now. */
  over: { reason: "unauthorised" | "other_user" };
}

/** The server refused a command; the same one may pass later where it is `retryable`. */
export class Refused extends Error {
  code: string;
  status: number;
  retryable: boolean;
}

/** Nobody answered: the command may or may not have arrived. */
export class Unsent extends Error {}

/** Too much waits already in this browser. */
export class Full extends Error {
  code: "outbox_full";
}

/** The session is over. */
export class Unauthorised extends Error {}

/** A message that waits to be sent, or cannot be. */
export interface Entry {
  client_id: string;
  chat_id: string;
  /** May be empty where there are files. */
  content: string;
  reply_to?: string;
  files?: Sending[];
  /** When it was written, in ms. */
  at: number;
  /** "uploading": its files are on their way, and messages without files may overtake it. */
  state: "waiting" | "uploading" | "sending" | "sent" | "failed";
  tries: number;
  reason?: string;
  code?: string;
  /** Once it is sent. */
  message_id?: string;
}

/** A file of a message that waits. */
export interface Sending {
  id: string;
  name: string;
  /** In bytes. */
  size: number;
  type: string;
  blob: Blob;
  /** How many bytes the server has. */
  sent: number;
  upload_id?: string;
  /** Once all of it is there. */
  attachment_id?: string;
  /** Why the server does not take it, in words. */
  reason?: string;
  /** The same for programs; "unreadable": it was changed or removed since it was chosen. */
  code?: string;
}

export interface Outbox {
  /** Whether what waits is still there after the page was closed. */
  readonly kept: boolean;
  /** Whether this is: files may have no place where text has one. */
  keeps(entry: Pick<Entry, "files">): boolean;
  /** Oldest first. */
  entries(chatId?: string): Entry[];
  onChange(watcher: () => void): () => void;
  /** Sends a message as soon as that can be, once; resolves with its `client_id` when it is kept. Rejects with Full. */
  add(message: { chat_id: string; content?: string; reply_to?: string; files?: (File | Blob)[]; client_id?: string }): Promise<string>;
  retry(clientId: string): void;
  /** `files`: the `id`s of those that stay; without it all do. */
  edit(clientId: string, content: string, files?: string[]): void;
  drop(clientId: string): void;
  /** Nothing of this person's is left in the browser. */
  clear(): Promise<void>;
}

export interface Client {
  /** Id of the last durable event that the handlers are done with; without a given one null until the connection stands. */
  readonly cursor: number | null;
  readonly status: Status;
  readonly mode: Mode | null;
  /** Null where no `user` was given. */
  readonly outbox: Outbox | null;
  /**
   * Every durable event comes once, in order. A handler that returns a promise is waited for before the
   * next event. Returns what takes the handler back.
   */
  on<Type extends keyof EventTypes>(type: Type, handler: (event: EventTypes[Type]) => unknown): () => void;
  on(type: string, handler: (event: Event) => unknown): () => void;
  /** Sends a command of the protocol; resolves with the `data` of its answer. Rejects with Refused, Unsent, Unauthorised. */
  send(type: string, data?: Record<string, unknown>): Promise<Record<string, unknown> | null>;
  /** Ends a pause at once; `anew`: also puts a connection to the proof that seems to stand. */
  wake(options?: { anew?: boolean }): void;
  close(): void;
}

export function connect(options?: Options): Client;
