// A replica whose health a test can change, with answers that an ingress must handle: streams, echoes, resets, silence.
import http from "node:http";

let live = 200;
let ready = 200;
if (process.env.STUBBORN) process.on("SIGTERM", () => undefined);
/** @type {Record<string, http.RequestListener>} */
const routes = {
  "/live": (_, response) => response.writeHead(live).end(),
  "/ready": (_, response) => response.writeHead(ready).end(),
  "/sicken": (_, response) => {
    live = 500;
    response.end();
  },
  "/tire": (_, response) => {
    ready = 503;
    response.end();
  },
  "/rest": (_, response) => {
    ready = 200;
    response.end();
  },
  "/reset": (request) => request.socket.destroy(),
  "/silence": () => undefined,
  "/torn": (_, response) =>
    response.writeHead(200, { "content-length": "100" }).write("half", () => response.destroy()),
  "/stream": (_, response) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" }).write('{"line":1}\n');
    routes["/go-on"] = (__, other) => {
      response.end('{"line":2}\n');
      other.end();
    };
  },
  "/echo": (request, response) => {
    let text = "";
    request
      .on("data", (chunk) => {
        text += chunk;
      })
      .on("end", () =>
        response.end(
          JSON.stringify({
            method: request.method,
            url: request.url,
            headers: request.headers,
            text,
            replica: process.env.CONTAINER_APP_REPLICA_NAME,
          }),
        ),
      );
  },
};
http
  .createServer((request, response) =>
    (routes[request.url?.split("?")[0] ?? ""] ?? routes["/echo"])?.(request, response),
  )
  .listen(Number(process.env.PORT), "127.0.0.1");
console.log("plain words");
