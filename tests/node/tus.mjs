/**
 * The npm package `tus-js-client`, as it is: sends a file, and prints the upload's address. With STOP it ends itself at so
 * many bytes, and goes on by a HEAD.
 */
import { createReadStream, statSync } from "node:fs";
import { Upload } from "tus-js-client";

const { ADDRESS, TOKEN, FILE, OPTIONS, STOP } = process.env;
let stops = Boolean(STOP);

const upload = new Upload(createReadStream(FILE), {
  endpoint: ADDRESS,
  uploadSize: statSync(FILE).size,
  metadata: { filename: "noise.bin" },
  headers: { Authorization: `Bearer ${TOKEN}` },
  retryDelays: null,
  ...JSON.parse(OPTIONS),
  onProgress: async (sent) => {
    if (!stops || sent < Number(STOP)) return;
    stops = false;
    await upload.abort();
    const again = new Upload(createReadStream(FILE), { ...upload.options, uploadUrl: upload.url });
    again.start();
  },
  onError: (error) => {
    process.stderr.write(`${error}\n`);
    process.exitCode = 1;
  },
  onSuccess: () => process.stdout.write(`${upload.url}\n`),
});
upload.start();
