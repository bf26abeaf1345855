// Fastify's ways to redirect, on the port it is given; modules are looked up from the folder in DETOUR_MODULES.
const path = require("node:path");
const { createRequire } = require("node:module");
const here = createRequire(path.join(process.env.DETOUR_MODULES, "x.cjs"));

const app = here("fastify")();
app.addContentTypeParser("*", (request, content, done) => content.resume().on("end", () => done(null)));
app.register(here("@fastify/static"), { root: path.join(__dirname, "public"), prefix: "/files/", redirect: true });
app.route({
  method: ["GET", "POST", "PUT"],
  url: "/moved",
  handler: (request, reply) => reply.redirect("/here", Number(request.query.status || 302)),
});
app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
