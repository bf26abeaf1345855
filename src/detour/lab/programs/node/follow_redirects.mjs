// follow-redirects: Node's http, followed. Content is written as to any request of Node, which wants to be told its
// length: content of DELETE and OPTIONS that has none would be sent without any framing.

import { pipeline } from "node:stream/promises";
import followRedirects from "follow-redirects";
import { Unsupported, run } from "./lab.mjs";

function sized(request, octets) {
  request.setHeader("Content-Length", Buffer.byteLength(octets));
  return request.end(octets);
}

async function write(request, asked) {
  switch (asked.kind) {
    case "none":
      return request.end();
    case "empty":
    case "json":
      return sized(request, asked.text);
    case "form":
      return sized(request, String(asked.params())); // it has no encoder
    case "large":
      return sized(request, asked.octets());
    case "chunked":
      request.setHeader("Transfer-Encoding", "chunked");
      return request.end(asked.octets());
    case "file":
      return pipeline(asked.opened(), request);
    case "stream":
      return pipeline(asked.stream(), request);
  }
  throw new Unsupported(`knows no content of kind ${asked.kind}`);
}

function headers(asked) {
  return asked.kind === "form" ? { ...asked.headers(), "Content-Type": asked.type } : asked.headers();
}

run(async (_, asked) => {
  const { http, https } = followRedirects;
  return new Promise((resolve, reject) => {
    const { method } = asked;
    const request = (asked.url.startsWith("https:") ? https : http).request(asked.url, { method, headers: headers(asked) });
    asked.signal.onabort = () => request.destroy(asked.signal.reason);
    request.on("response", (answer) => {
      answer.on("end", () => resolve({ status: answer.statusCode, url: answer.responseUrl }));
      answer.on("error", reject);
      answer.resume();
    });
    request.on("error", reject);
    write(request, asked).catch(reject);
  });
});
