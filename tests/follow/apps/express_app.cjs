// Express's ways to redirect, on the port it is given; modules are looked up from the folder in DETOUR_MODULES.
const path = require("node:path");
const { createRequire } = require("node:module");
const express = createRequire(path.join(process.env.DETOUR_MODULES, "x.cjs"))("express");

const app = express();
if (process.env.DETOUR_QUIET) app.disable("x-powered-by");
app.use("/files", express.static(path.join(__dirname, "public")));
app.all("/moved", (request, response) => response.redirect(Number(request.query.status || 302), "/here"));
app.listen(Number(process.argv[2]), "127.0.0.1");
