// Vercel's own compiler of redirects, asked line by line: {"config", "requests": [path]} in,
// [[status, location] | null] out. The routes it makes are tried in order, as its proxy does.
"use strict";
const { getTransformedRoutes } = require(process.argv[2] + "/@vercel/routing-utils");

function answers({ config, requests }) {
  const { routes, error } = getTransformedRoutes(config);
  if (error) return { error: error.message };
  const redirects = (routes ?? []).filter((route) => route.status >= 300 && route.status < 400);
  return requests.map((path) => answer(redirects, path));
}

function answer(redirects, path) {
  for (const { src, status, headers } of redirects) {
    const match = new RegExp(src).exec(path);
    if (match === null) continue;
    return [status, headers.Location.replace(/\$(\d+)/g, (_, number) => match[Number(number)] ?? "")];
  }
  return null;
}

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => process.stdout.write(JSON.stringify(answers(JSON.parse(line))) + "\n"));
