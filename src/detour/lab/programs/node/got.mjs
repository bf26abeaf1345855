// got.

import got from "got";
import { Unsupported, run } from "./lab.mjs";

async function content(asked) {
  switch (asked.kind) {
    case "none":
      return {};
    case "empty":
    case "json":
      return { body: asked.text };
    case "form":
      return { form: Object.fromEntries(asked.pairs) };
    case "multipart":
      return { body: await asked.formData() };
    case "large":
      return { body: asked.octets() };
    case "file":
      return { body: asked.opened() };
    case "stream":
      return { body: asked.stream() };
    case "chunked":
      return { body: asked.repeatable() };
  }
  throw new Unsupported(`knows no content of kind ${asked.kind}`);
}

run(
  async (client, asked) => {
    const { method, signal } = asked;
    const answer = await client(asked.url, { method, signal, headers: asked.headers(), ...(await content(asked)) });
    return { status: answer.statusCode, url: answer.url };
  },
  () => got.extend({}),
);
