// fetch of Node.js. The same command line as asked.py describes; a file is sent as a Blob, `text` as a string.

import { openAsBlob, readFileSync } from "node:fs";
import { basename } from "node:path";

const TYPES = { json: "application/json", file: "application/octet-stream", text: "text/plain" };

async function content(kind, file) {
  if (kind === "none") return undefined;
  if (kind === "file") return openAsBlob(file);
  if (kind !== "multipart") return readFileSync(file, "utf8");
  const form = new FormData();
  form.append("note", "kept or lost?");
  form.append("file", await openAsBlob(file), basename(file));
  return form;
}

async function send(method, url, kind, file) {
  const headers = kind in TYPES ? { "Content-Type": TYPES[kind] } : {};
  const signal = AbortSignal.timeout(30_000);
  const answer = await fetch(url, { method, headers, signal, body: await content(kind, file) });
  await answer.arrayBuffer();
  return { status: answer.status, url: answer.url, error: null };
}

const words = process.argv.slice(2);
for (let at = 0; at < words.length; at += 4) {
  let said;
  try {
    said = await send(...words.slice(at, at + 4));
  } catch (error) {
    said = { status: null, url: null, error: `${error.name}: ${error.cause?.message ?? error.message}` };
  }
  console.log(JSON.stringify(said));
}
