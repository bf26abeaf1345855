// Netlify's own matcher, asked line by line: {"rules", "requests": [url]} in, [[status, location] | null] out.
// What becomes of the query is not the matcher's doing, but that of `netlify dev`'s proxy; so here, too.
"use strict";
const redirector = require(process.argv[2] + "/netlify-redirector");

async function answers({ rules, requests }) {
  const matcher = await redirector.parsePlain(rules, {});
  return requests.map((request) => answer(matcher, new URL(request)));
}

function answer(matcher, url) {
  const match = matcher.match({
    scheme: url.protocol.slice(0, -1),
    host: url.host,
    path: decodeURIComponent(url.pathname),
    query: url.search.slice(1),
    headers: {},
    cookieValues: {},
    getHeader: () => "",
    getCookie: () => "",
  });
  if (match === null) return null;
  if (match.status < 301 || match.status > 308) return [match.status, null];
  const location = new URL(match.to, url);
  if ([...location.searchParams].length === 0) location.search = url.search;
  return [match.status, location.href];
}

let asked = Promise.resolve();
require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    asked = asked.then(async () => {
      const reply = await answers(JSON.parse(line)).catch((error) => ({ error: String(error) }));
      process.stdout.write(JSON.stringify(reply) + "\n");
    });
  });
