// A TCP proxy on loopback that breaks connections as networks do: it cuts them, delays or swallows bytes, or answers in
// the server's place.
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";

/**
 * What happens to bytes on their way: they pass (a number: after this many milliseconds), vanish, cut the connection,
 * or get an answer instead.
 */
export type Fate = "pass" | "swallow" | "cut" | number | Buffer;

export interface Proxy {
  readonly port: number;
  /**
   * Decides about bytes on their way to the server. `opening` is the first bytes of the connection, which identify it.
   */
  there: (bytes: Buffer, opening: Buffer) => Fate;
  /** Decides about bytes on their way back. */
  back: (bytes: Buffer, opening: Buffer | undefined) => Fate;
  /** Breaks every connection. New ones are accepted. */
  readonly cutAll: () => void;
  readonly close: () => Promise<void>;
}

/** Starts a proxy in front of a server. */
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
          destroyAll(both);
        });
    }
    const meet = (fate: Fate, bytes: Buffer, onward: Socket, sender: Socket): void => {
      if (fate === "pass") onward.write(bytes);
      else if (fate === "cut") destroyAll(both);
      else if (typeof fate === "number") setTimeout(() => onward.write(bytes), fate);
      else if (fate !== "swallow") sender.write(fate);
    };
    client.on("data", (bytes: Buffer) => {
      opening ??= bytes;
      meet(proxy.there(bytes, opening), bytes, upstream, client);
    });
    upstream.on("data", (bytes: Buffer) => meet(proxy.back(bytes, opening), bytes, client, upstream));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: Proxy = {
    port: (server.address() as AddressInfo).port,
    there: () => "pass",
    back: () => "pass",
    cutAll: () => destroyAll(sockets),
    close: async () => {
      destroyAll(sockets);
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function destroyAll(sockets: Iterable<Socket>): void {
  for (const each of sockets) each.destroy();
}

/** Gives PostgreSQL's refusal of a statement, with its code, after which it accepts the next. */
export function postgresRefusal(code: string): Buffer {
  const fields = Buffer.from(
    `${["SERROR", "VERROR", `C${code}`, "Mrefused on order", "", ""].join("\0").slice(0, -1)}\0`,
    "utf8",
  );
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields, Buffer.from([0x5a, 0, 0, 0, 5, 0x49])]);
}
