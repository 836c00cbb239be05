// The page that says what gets through from here: measures, has the server judge, shows it.

import { measure } from "./doctor/measure.js";
import { t } from "./text.js";

const LONGEST_QUERY = 1800; // what passes as an address everywhere
const SILENCE = 20;
const part = (id) => document.getElementById(id);
const [begin, copy, step, progress, report] = ["begin", "copy", "step", "progress", "report"].map(part);
const WORDS = {
  websocket: () => t("WebSocket"),
  stream: () => t("Stream"),
  poll: () => t("Long polling"),
  post: () => t("Sending by POST"),
};
let text = "";

/** The server's verdict, by whatever kind of request gets through; undefined where none does. */
async function judged(measured) {
  const body = JSON.stringify(measured);
  const url = new URL("/t/d/v", location);
  url.searchParams.set("lang", document.documentElement.lang);
  const tries = [
    { method: "POST", body },
    { method: "POST", body: new URLSearchParams({ m: body }) },
    { method: "POST", body, headers: { "Content-Type": "application/json" } },
  ];
  for (const init of tries) {
    const answer = await answered(url, init);
    if (answer) return answer;
  }
  url.searchParams.set("m", body);
  return url.href.length < LONGEST_QUERY ? answered(url, {}) : undefined;
}

async function answered(url, init) {
  try {
    const response = await fetch(url, { ...init, cache: "no-store", signal: AbortSignal.timeout(10000) });
    const answer = await response.json();
    return response.ok && typeof answer.html === "string" ? answer : undefined;
  } catch {
    return undefined;
  }
}

function show(measured, answer) {
  text = answer?.text ?? inFewWords(measured);
  if (answer) report.innerHTML = answer.html; // made and escaped by the server
  else report.replaceChildren(...text.split("\n").map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  report.querySelector("h2")?.focus();
  copy.hidden = false;
}

/** All that can be said where not even the verdict comes through. */
function inFewWords({ ping, socket, streams, poll, posts }) {
  if (ping.why) return t("No answer of the server comes through. Perhaps you are offline, or have to log in to the network first.");
  const works = {
    websocket: !socket.why,
    stream: streams.octet && !streams.octet.why && !streams.octet.held,
    poll: !poll.why,
    post: Object.values(posts).some(({ why }) => !why),
  };
  const lines = Object.entries(works).map(([name, is]) => `${WORDS[name]()}: ${is ? t("works") : t("does not work")}`);
  return [t("The server's verdict did not come through. What was tried:"), ...lines].join("\n");
}

async function examine() {
  begin.disabled = true;
  progress.hidden = false;
  progress.value = 0;
  const say = (line) => {
    step.textContent = line;
    progress.value += 1;
  };
  const measured = await measure({ seconds: part("silence").checked ? SILENCE : 0, say });
  show(measured, await judged(measured));
  step.textContent = "";
  progress.hidden = true;
  begin.disabled = false;
}

/** Without https there is no clipboard for scripts: what is marked can be copied by hand. */
async function copied() {
  try {
    await navigator.clipboard.writeText(text);
    step.textContent = t("Copied.");
  } catch {
    const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
    field.setAttribute("aria-label", t("The report as text"));
    report.querySelector("textarea")?.remove();
    report.append(field);
    field.select();
    step.textContent = document.execCommand?.("copy") ? t("Copied.") : t("Copy the marked text.");
  }
}

part("examine").hidden = false;
part("command").textContent = `quartchat doctor ${location.origin}`; // a proxy may change the host
begin.addEventListener("click", examine);
copy.addEventListener("click", copied);
if (location.hash === "#now") examine();
