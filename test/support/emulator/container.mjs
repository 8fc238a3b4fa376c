// A container whose arguments say what it does: `write <code>` adds a line to the file `lines` of its volume and exits;
// otherwise it serves what it knows of itself, its volume's files, and what a sibling answers.
import { appendFileSync, readFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";

const [verb, code] = process.argv.slice(2);
const folder = process.env.MOUNT_DATA ?? "";
if (verb === "write") {
  if (folder) appendFileSync(path.join(folder, "lines"), `${process.env.WHO}\n`);
  process.exit(Number(code));
}
/** @type {Record<string, (query: URLSearchParams) => unknown>} */
const routes = {
  "/": () => ({ argv: process.argv.slice(1), env: process.env, pid: process.pid }),
  "/file": (query) =>
    readFileSync(path.join(process.env[query.get("mount") ?? ""] ?? "", query.get("name") ?? ""), "utf8"),
  "/write": (query) => appendFileSync(path.join(folder, "lines"), `${query.get("text")}\n`),
  "/sibling": async (query) => (await fetch(`http://127.0.0.1:${process.env[`PORT_${query.get("port")}`]}/`)).json(),
};
const server = http.createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  try {
    response.end(JSON.stringify((await routes[pathname]?.(searchParams)) ?? null));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
server.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
console.log(`${process.env.WHO} is here`);
