// axios. Its own limit of time does not count while it connects: the signal does.

import axios from "axios";
import { Unsupported, run } from "./lab.mjs";

async function content(asked) {
  switch (asked.kind) {
    case "none":
      return undefined;
    case "empty":
    case "json":
      return asked.text;
    case "form":
      return asked.params();
    case "multipart":
      return asked.formData();
    case "large":
      return asked.octets();
    case "file":
      return asked.opened();
    case "stream":
      return asked.stream();
  }
  throw new Unsupported(`knows no content of kind ${asked.kind}`);
}

run(
  async (client, asked) => {
    const { method, url, signal } = asked;
    const answer = await client.request({ method, url, signal, headers: asked.headers(), data: await content(asked) });
    return { status: answer.status, url: answer.request?.res?.responseUrl };
  },
  () => axios.create(),
);
