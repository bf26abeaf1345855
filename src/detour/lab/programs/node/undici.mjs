// undici: `request`, with its interceptor for redirects; and its WebSocket.

import { Agent, FormData, WebSocket, interceptors, request } from "undici";
import { Unsupported, run } from "./lab.mjs";

const REDIRECTIONS = 20; // as many as fetch; there is no number of its own

async function content(asked) {
  switch (asked.kind) {
    case "none":
      return null;
    case "empty":
    case "json":
      return asked.text;
    case "form":
      return String(asked.params()); // it has no encoder
    case "multipart":
      return asked.formData({ FormData, File });
    case "large":
      return asked.octets();
    case "file":
      return asked.blob();
    case "stream":
      return asked.stream();
    case "chunked":
      return asked.repeatable();
  }
  throw new Unsupported(`knows no content of kind ${asked.kind}`);
}

function headers(asked) {
  const told = asked.kind === "form" ? [["Content-Type", asked.type]] : [];
  return [...asked.typed(), ...told].flat();
}

function opened(asked, dispatcher) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(asked.url.replace(/^http/, "ws"), { dispatcher });
    asked.signal.onabort = () => reject(asked.signal.reason);
    socket.onopen = () => resolve({ status: 101, url: socket.url });
    socket.onerror = (event) => reject(event.error ?? new Error(event.message));
  });
}

run(
  async (agent, asked) => {
    if (asked.api === "websocket") return opened(asked, agent);
    const { method, signal } = asked;
    const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: REDIRECTIONS }));
    const body = await content(asked);
    const answer = await request(asked.url, { method, headers: headers(asked), body, signal, dispatcher });
    await answer.body.arrayBuffer();
    return { status: answer.statusCode, url: String(answer.context?.history?.at(-1) ?? asked.url) };
  },
  () => new Agent(),
  (agent) => agent.destroy(),
  ["http", "websocket"],
);
