// Connects to a host at another address than its name resolves to, as `curl --connect-to` does. The emulator serves
// every name of Azure at one address and one port on loopback; SNI and Host carry the name, as on Azure. Without
// BALLAST_CONNECT_TO, names resolve as usual.
import https from "node:https";
import { createRequire } from "node:module";
import tls from "node:tls";
import type { Dispatcher } from "undici";

const require = createRequire(import.meta.url);

/** The address at which `suffix` and every host name below it are reached. */
export interface ConnectTo {
  readonly suffix: string;
  readonly host: string;
  readonly port: number;
}

/** Parses `<suffix>=<host>:<port>`. Returns undefined if the variable is absent or empty. */
export function parseConnectTo(text: string | undefined): ConnectTo | undefined {
  if (!text) return undefined;
  const [, suffix, host, port] = /^([a-z0-9.-]+)=([^:=]+):(\d+)$/.exec(text) ?? [];
  if (suffix === undefined || host === undefined || port === undefined)
    throw new Error(`BALLAST_CONNECT_TO is not <suffix>=<host>:<port>: ${text}`);
  return { suffix, host, port: Number(port) };
}

const fromEnvironment = (): ConnectTo | undefined => parseConnectTo(process.env["BALLAST_CONNECT_TO"]);
const applies = (to: ConnectTo | undefined, name: string): to is ConnectTo =>
  to !== undefined && (name === to.suffix || name.endsWith(`.${to.suffix}`));

/** Returns an agent for `node:https` and for the clients of the Azure SDK. */
export function httpsAgent(to: ConnectTo | undefined = fromEnvironment()): https.Agent {
  const agent = new https.Agent({ keepAlive: true });
  const createConnection = agent.createConnection.bind(agent);
  agent.createConnection = (options, connected) => {
    const name = String(options.host ?? "");
    if (!applies(to, name)) return createConnection(options, connected);
    return tls.connect({ ...(options as tls.ConnectionOptions), servername: name, host: to.host, port: to.port });
  };
  return agent;
}

/**
 * Loads undici at its first use. Most starts of a command or of the provider send nothing, and undici would be a third
 * of their CPU.
 */
const undici = (): typeof import("undici") => require("undici");

/** Undici's `fetch`, which takes a dispatcher. */
export const fetchLate: typeof import("undici").fetch = (...asked) => undici().fetch(...asked);

/** Returns a dispatcher for `fetchLate`, and for undici's own `fetch`. */
export function fetchDispatcher(to: ConnectTo | undefined = fromEnvironment()): Dispatcher {
  const { Agent, buildConnector } = undici();
  const connect = buildConnector({});
  return new Agent({
    connect: (options, connected) =>
      connect(
        applies(to, options.hostname)
          ? { ...options, servername: options.hostname, hostname: to.host, port: String(to.port) }
          : options,
        connected,
      ),
  });
}
