// node-fetch. It takes a stream as Node has them; a file it has blobs of its own for.

import fetch, { File, FormData, Headers, blobFrom } from "node-fetch";
import { fetchContent, run } from "./lab.mjs";

async function content(asked) {
  if (asked.kind === "stream") return { body: asked.stream() };
  if (asked.kind === "file") return { body: await blobFrom(asked.file) };
  return fetchContent(asked, { FormData, File });
}

run(async (_, asked) => {
  const { method, signal } = asked;
  const headers = new Headers(asked.typed());
  const answer = await fetch(asked.url, { method, headers, signal, ...(await content(asked)) });
  await answer.arrayBuffer();
  return answer;
});
