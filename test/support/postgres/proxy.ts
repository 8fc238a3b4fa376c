// A TCP proxy on loopback that does to a connection what networks do: cuts it at a byte, delays it, swallows what is said,
// or answers in the server's place. It knows no protocol but PostgreSQL's way of refusing.
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";

/** What becomes of some bytes on their way: they pass (after so many milliseconds), nothing, the end of the connection, or an answer instead. */
export type Fate = "pass" | "swallow" | "cut" | number | Buffer;

export interface Proxy {
  readonly port: number;
  /** Judges bytes on their way to the server; they pass unless told. `opening` is what the connection began with, and so tells connections apart. */
  there: (bytes: Buffer, opening: Buffer) => Fate;
  /** Judges bytes on their way back. */
  back: (bytes: Buffer, opening: Buffer | undefined) => Fate;
  /** Breaks every connection; new ones are made as before. */
  readonly cutAll: () => void;
  readonly close: () => Promise<void>;
}

/** Starts a proxy before a server. */
export async function startProxy(to: { readonly host: string; readonly port: number }): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const server = net.createServer((client) => {
    const upstream = net.connect(to.port, to.host);
    const both = [client, upstream];
    let opening: Buffer | undefined;
    for (const socket of both) {
      sockets.add(socket);
      socket
        .on("error", () => undefined)
        .on("close", () => {
          sockets.delete(socket);
          both.forEach((each) => each.destroy());
        });
    }
    const meet = (fate: Fate, bytes: Buffer, onward: Socket, sender: Socket): void => {
      if (fate === "pass") onward.write(bytes);
      else if (fate === "cut") both.forEach((each) => each.destroy());
      else if (typeof fate === "number") setTimeout(() => onward.write(bytes), fate);
      else if (fate !== "swallow") sender.write(fate);
    };
    client.on("data", (bytes: Buffer) => meet(proxy.there(bytes, (opening ??= bytes)), bytes, upstream, client));
    upstream.on("data", (bytes: Buffer) => meet(proxy.back(bytes, opening), bytes, client, upstream));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: Proxy = {
    port: (server.address() as AddressInfo).port,
    there: () => "pass",
    back: () => "pass",
    cutAll: () => sockets.forEach((each) => each.destroy()),
    close: async () => {
      sockets.forEach((each) => each.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

/** Refuses a statement as PostgreSQL does, with its code, and is ready for the next. */
export function postgresRefusal(code: string): Buffer {
  const fields = Buffer.from(
    ["SERROR", "VERROR", `C${code}`, "Mrefused on order", "", ""].join("\0").slice(0, -1) + "\0",
    "utf8",
  );
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields, Buffer.from([0x5a, 0, 0, 0, 5, 0x49])]);
}
