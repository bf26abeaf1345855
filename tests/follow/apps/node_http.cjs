// Node's own http server, on the port it is given.
const http = require("node:http");

http.createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  const status = Number(url.searchParams.get("status") || 307);
  if (url.pathname === "/set") {
    response.statusCode = status;
    response.setHeader("Location", "/here");
    response.end();
  } else if (url.pathname === "/written") {
    response.writeHead(status, { Location: "/here", "Content-Type": "text/plain" });
    response.end("moved\n");
  } else {
    response.writeHead(status, { Location: "/here" });
    response.end();
  }
}).listen(Number(process.argv[2]), "127.0.0.1");
