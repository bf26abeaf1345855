// fetch, as Node has it.

import { dispatcher, fetchContent, run } from "./lab.mjs";

run(
  async (dispatcher, asked) => {
    const { method, signal } = asked;
    const headers = new Headers(asked.typed());
    const answer = await fetch(asked.url, { method, headers, signal, dispatcher, ...(await fetchContent(asked)) });
    await answer.arrayBuffer();
    return answer;
  },
  dispatcher,
  (dispatcher) => dispatcher.destroy(),
);
