/** Every incoming message is looked at before anything relies on it. */

const isId = (value) => Number.isSafeInteger(value) && value >= 0;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** The fields without which an event of this type says nothing, and what they are. */
const NEEDED = {
  hello: { cursor: isId },
  after: { last_event_id: isId },
  caught_up: { last_event_id: isId },
  heartbeat: { last_event_id: isId },
  reset: { head: isId },
  new_message: { chat_id: isText, message_id: isText, sender_id: isText },
  message_edited: { chat_id: isText, message_id: isText },
  message_deleted: { chat_id: isText, message_id: isText },
  messages_read: { chat_id: isText, user_id: isText },
  user_typing: { chat_id: isText, user_id: isText },
  user_stopped_typing: { chat_id: isText, user_id: isText },
  notification: { notification_type: isText },
};

function isText(value) {
  return typeof value === "string";
}

/** Whether this is an event at all: `{ id?, type, data? }`. */
export function isEvent(value) {
  return isObject(value) && isText(value.type) && (value.id === undefined || isId(value.id)) && (value.data === undefined || isObject(value.data));
}

/** Whether an event has what its type must have; types that are not known here pass. */
export function isWhole(event) {
  const data = event.data ?? {};
  return Object.entries(NEEDED[event.type] ?? {}).every(([name, fits]) => fits(data[name]));
}

/** The list of events in a frame or a body. Throws where it holds anything else. */
export function eventsOf(value) {
  const list = Array.isArray(value) ? value : [value];
  if (!list.every(isEvent)) throw new TypeError("not a list of events");
  return list;
}
