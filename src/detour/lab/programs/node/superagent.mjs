// superagent, without an agent. A stream is piped into its request.

import superagent from "superagent";
import { Unsupported, run } from "./lab.mjs";

function send(request, asked) {
  switch (asked.kind) {
    case "none":
      return request;
    case "empty":
    case "json":
      return request.send(asked.text);
    case "form":
      return request.type("form").send(Object.fromEntries(asked.pairs));
    case "multipart":
      return multipart(request, asked);
    case "large":
      return request.send(asked.octets());
    case "file":
      return piped(request, asked.opened());
    case "stream":
      return piped(request, asked.stream());
  }
  throw new Unsupported(`knows no content of kind ${asked.kind}`);
}

function multipart(request, asked) {
  for (const { name, filename, type, text, file } of asked.parts) {
    if (filename) request.attach(name, file, { filename, contentType: type });
    else request.field(name, text);
  }
  return request;
}

function piped(request, stream) {
  return new Promise((resolve, reject) => {
    request.on("response", resolve).on("error", reject);
    stream.pipe(request);
  });
}

run(async (_, asked) => {
  const request = superagent(asked.method, asked.url).set(asked.headers()).timeout(asked.timeout);
  const answer = await send(request, asked);
  return { status: answer.status, url: answer.redirects?.at(-1) ?? asked.url };
});
