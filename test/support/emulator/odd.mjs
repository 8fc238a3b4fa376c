// A replica that answers with what is no HTTP, or hardly any. The path names the answer.
import net from "node:net";

const tail = "content-length: 2\r\n\r\nhi";
/** @type {Record<string, string>} */
const answers = {
  "/status-below-100": `HTTP/1.1 099 Odd\r\n${tail}`,
  "/upgrade": "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
  "/no-http": "hello\r\n\r\n",
  "/two-lengths": `HTTP/1.1 200 OK\r\ncontent-length: 3\r\n${tail}`,
  "/nothing": "",
  "/control-character": `HTTP/1.1 200 \x01odd\x7f\r\n${tail}`,
};

net
  .createServer((socket) => {
    let request = "";
    socket.on("error", () => undefined);
    socket.on("data", (part) => {
      request += part;
      if (request.includes("\r\n\r\n"))
        socket.end(answers[request.split(" ")[1] ?? ""] ?? `HTTP/1.1 200 OK\r\nconnection: close\r\n${tail}`);
    });
  })
  .listen(Number(process.env.PORT), "127.0.0.1");
