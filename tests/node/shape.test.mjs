/** What the client costs a page, and whether its types are as they say. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { transformSync } from "esbuild";

const STATIC = fileURLToPath(new URL("../../static/", import.meta.url));
const CLIENT = join(STATIC, "js/client");
const MOST_BYTES = 25 * 1024;

const modules = readdirSync(CLIENT, { recursive: true }).filter((name) => name.endsWith(".js"));

test("the modules of the client are together under 25 KB, minified and gzipped", (t) => {
  const code = modules.map((name) => transformSync(readFileSync(join(CLIENT, name), "utf8"), { minify: true }).code).join("");
  const bytes = gzipSync(code, { level: 9 }).length;
  t.diagnostic(`${modules.length} modules, ${bytes} bytes`);
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
});

const USE = `
import { connect, Refused, Full, type Client, type Status } from "./quartchat";

const client: Client = connect({ user: "u", cursor: 1, transports: ["websocket", "poll"], token: async () => "t" });
client.on("new_message", ({ id, data }) => { const text: string | null = data.content; const at: number | undefined = id; void [text, at]; });
client.outbox!.add({ chat_id: "c", files: [new Blob([])] }).then(() => client.outbox!.entries("c").map((entry) => entry.files?.[0]?.sent));
client.on("new_message", ({ data }) => { const width: number | null = data.attachments[0].width; void width; });
client.on("status", (status: Status) => { const since: number | null = status.since; void since; });
client.on("reset", ({ data }) => { const head: number = data.head; void head; });
client.on("of_my_own", ({ type }) => type.length);
client.send("mark_read", { chat_id: "c" }).catch((error) => error instanceof Refused && error.retryable);
client.outbox?.add({ chat_id: "c", content: "x" }).catch((error) => error instanceof Full);
// @ts-expect-error: there is no such transport
connect({ transports: ["pigeon"] });
// @ts-expect-error: a cursor is a number
connect({ cursor: "1" });
`;

test("the types take what the client takes, and nothing else", () => {
  const folder = mkdtempSync(join(tmpdir(), "quartchat-types-"));
  try {
    writeFileSync(join(folder, "quartchat.d.ts"), readFileSync(join(STATIC, "quartchat.d.ts")));
    writeFileSync(join(folder, "use.ts"), USE);
    const tsc = fileURLToPath(new URL("node_modules/.bin/tsc", import.meta.url));
    execFileSync(tsc, ["--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", "--types", "", join(folder, "use.ts")], { stdio: "pipe", encoding: "utf8" });
  } catch (error) {
    assert.fail(error.stdout || error.message);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what the types name, the client exports", async () => {
  const types = readFileSync(join(STATIC, "quartchat.d.ts"), "utf8");
  const code = readFileSync(join(CLIENT, "connect.js"), "utf8");
  const named = [...types.matchAll(/^export (?:class|function) (\w+)/gm)].map(([, name]) => name);
  assert.ok(named.length > 3);
  for (const name of named) assert.match(code, new RegExp(`export (?:function ${name}\\b|\\{[^}]*\\b${name}\\b)`), name);
});
