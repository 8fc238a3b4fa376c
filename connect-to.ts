// How our processes reach a host by another address than its name says, as `curl --connect-to` does.
// The stand-in cloud is one address and one port on loopback; names travel in SNI and in Host, as in Azure.
// Nothing here knows what is at the other end; without BALLAST_CONNECT_TO every name is reached as always.
import https from "node:https";
import tls from "node:tls";
import { buildConnector, type Dispatcher, Agent as FetchAgent } from "undici";

/** Every host name that is `suffix`, or ends in a dot and `suffix`, is reached at this address. */
export interface ConnectTo {
  readonly suffix: string;
  readonly host: string;
  readonly port: number;
}

/** Reads `<suffix>=<host>:<port>`; undefined where the variable is absent or empty. */
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

/** Gives an agent for `node:https` and for the Azure SDK clients. */
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

/** Gives a dispatcher for `fetch` of undici. */
export function fetchDispatcher(to: ConnectTo | undefined = fromEnvironment()): Dispatcher {
  const connect = buildConnector({});
  return new FetchAgent({
    connect: (options, connected) =>
      connect(
        applies(to, options.hostname)
          ? { ...options, servername: options.hostname, hostname: to.host, port: String(to.port) }
          : options,
        connected,
      ),
  });
}
