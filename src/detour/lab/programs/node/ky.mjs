// ky, without its retries: it would ask again from the start after every failure.

import ky from "ky";
import { dispatcher, fetchContent, run } from "./lab.mjs";

run(
  async ({ client }, asked) => {
    const { method, signal, timeout } = asked;
    const headers = new Headers(asked.typed());
    const answer = await client(asked.url, { method, headers, signal, timeout, ...(await fetchContent(asked)) });
    await answer.arrayBuffer();
    return answer;
  },
  async () => {
    const own = await dispatcher();
    const client = ky.create({ retry: 0, fetch: (input, init) => fetch(input, { ...init, dispatcher: own }) });
    return { client, own };
  },
  ({ own }) => own.destroy(),
);
