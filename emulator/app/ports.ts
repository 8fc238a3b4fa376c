// The ports of processes. On Azure the containers of a replica share one network, and each listens on ports of its
// choice. Here every process is on this machine, so each of those ports stands for a free one, which is handed over in
// the environment: PORT for a container's own, PORT_<n> for the one that stands for n.
import { once } from "node:events";
import net from "node:net";
import type { Body } from "../arm/resource.ts";

// A port is reserved until it is released, since the process that should listen on it may be down for a moment, and the
// system would give the port to another.
const reserved = new Set<number>();

/** Reserves a free port of this machine. */
export async function reservePort(): Promise<number> {
  for (;;) {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    server.close();
    await once(server, "close");
    if (reserved.has(port)) continue;
    reserved.add(port);
    return port;
  }
}

/** Releases a port for good. */
export const releasePort = (port: number): void => void reserved.delete(port);

/** The ports of a template's containers, as they are inside of a replica. */
export interface PortPlan {
  /** The port that each container listens on first, in the order of the template. */
  readonly main: readonly number[];
  /** Every port that the template or the ingress names. */
  readonly all: readonly number[];
}

/**
 * Reads the ports of a template: those of variables named PORT, of probes, and of the ingress.
 *
 * A container that names none listens on the target port if it is the first one. Otherwise it gets a port that no other
 * container can name, which is a number below 0.
 */
export function planPorts(template: Body, ingress: Body | undefined): PortPlan {
  const containers: readonly Body[] = template["containers"] ?? [];
  const targetPort: unknown = ingress?.["targetPort"];
  const main = containers.map((container, index) => {
    const own = ((container["env"] ?? []) as Body[]).find(({ name }) => name === "PORT")?.["value"];
    const [probed] = probedPorts(container);
    const named = own ?? (index === 0 ? (targetPort ?? (ingress ? 80 : undefined)) : undefined) ?? probed;
    return named == null || Number.isNaN(Number(named)) ? -1 - index : Number(named);
  });
  const ofIngress = ingress
    ? [targetPort ?? 80, ...((ingress["additionalPortMappings"] ?? []) as Body[]).map((each) => each["targetPort"])]
    : [];
  return { main, all: [...new Set([...main, ...containers.flatMap(probedPorts), ...ofIngress.map(Number)])] };
}

const probedPorts = ({ probes }: Body): readonly number[] =>
  ((probes ?? []) as Body[]).flatMap(({ httpGet, tcpSocket }) => {
    const port: unknown = (httpGet ?? tcpSocket)?.port;
    return port == null ? [] : [Number(port)];
  });

/** Gives the variables by which every container of a replica finds the ports of all. */
export const portVariables = (ports: ReadonlyMap<number, number>): Record<string, string> =>
  Object.fromEntries([...ports].filter(([port]) => port > 0).map(([port, real]) => [`PORT_${port}`, String(real)]));
