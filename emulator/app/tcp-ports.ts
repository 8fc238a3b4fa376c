// The TCP ports of apps: the exposed port of an ingress with the transport tcp, and additional ports. Each is a
// listener on 127.0.0.1 with the number that the app exposes, so a port that the machine uses already fails the write.
// A connection goes to a revision by weight, and stays there.
import { once } from "node:events";
import net from "node:net";
import { ArmError, type Cloud } from "../arm/resource.ts";
import { admitsAddress } from "./admission.ts";
import { runtimeOf } from "./app-runtime.ts";
import { exposedPorts } from "./contract/ingress.ts";
import type { AppRuntime } from "./revisions.ts";
import { nextReplica, pickRevision, randomFrom } from "./routing.ts";
import { mustWake, wake } from "./scaling.ts";

/** One open port of an app. */
interface Listener {
  readonly exposed: number;
  target: number;
  readonly server: net.Server;
  readonly sockets: Set<net.Socket>;
}

const listeners = new WeakMap<AppRuntime, Map<number, Listener>>();
const opening = new WeakMap<AppRuntime, Promise<void>>();
const connectMilliseconds = 240_000;

/**
 * Opens the ports that an app's configuration exposes, and closes those that it no longer does.
 *
 * @throws ArmError 409 when the machine uses a port already
 */
export function openPorts(cloud: Cloud, app: AppRuntime): Promise<void> {
  const next = (opening.get(app) ?? Promise.resolve()).catch(() => undefined).then(() => reconcile(cloud, app));
  opening.set(app, next);
  return next;
}

async function reconcile(cloud: Cloud, app: AppRuntime): Promise<void> {
  const open = listeners.get(app) ?? new Map<number, Listener>();
  listeners.set(app, open);
  const wanted = new Map(
    exposedPorts(app.configuration["ingress"] ?? {}).map(({ exposed, target }) => [exposed, target]),
  );
  for (const [exposed, listener] of open) if (!wanted.has(exposed)) close(open, listener);
  for (const [exposed, target] of wanted) {
    const known = open.get(exposed);
    if (known) known.target = target;
    else open.set(exposed, await listen(cloud, app, exposed, target));
  }
}

const lookMilliseconds = 500;

/** Opens the ports of apps that the emulator found in its folder. Gives the function that stops it. */
export function keepPortsOpen(cloud: Cloud): () => void {
  const told = new WeakMap<AppRuntime, string>();
  const timer = setInterval(() => {
    for (const app of runtimeOf(cloud).apps.values()) {
      const lacksOne = exposedPorts(app.configuration["ingress"] ?? {}).some(
        ({ exposed }) => !listeners.get(app)?.has(exposed),
      );
      if (!lacksOne || app.operating) continue;
      openPorts(cloud, app).catch(({ message }: Error) => {
        if (told.get(app) !== message) cloud.log(message);
        told.set(app, message);
      });
    }
  }, lookMilliseconds);
  timer.unref();
  return () => clearInterval(timer);
}

/** Closes every port of an app, with its connections. */
export function closePorts(app: AppRuntime): void {
  const open = listeners.get(app);
  for (const listener of open?.values() ?? []) close(open!, listener);
}

function close(open: Map<number, Listener>, { exposed, server, sockets }: Listener): void {
  open.delete(exposed);
  server.close();
  for (const socket of sockets) socket.destroy();
}

async function listen(cloud: Cloud, app: AppRuntime, exposed: number, target: number): Promise<Listener> {
  const draw = randomFrom(exposed);
  const server = net.createServer((socket) => {
    listener.sockets.add(socket);
    socket.once("close", () => listener.sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    if (admitsAddress(app, socket)) void connect(cloud, app, listener.target, socket, draw);
    else socket.destroy();
  });
  const listener: Listener = { exposed, target, server, sockets: new Set() };
  server.listen(exposed, "127.0.0.1").unref();
  const problem = await once(server, "listening").then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (problem !== undefined)
    throw new ArmError(
      409,
      "EmulatorPortTaken",
      `The emulator cannot open port ${exposed} of container app '${app.name}' on 127.0.0.1: ${problem}. ` +
        "Expose another port, or end the program that uses it.",
    );
  return listener;
}

/** Connects a client to a replica, after waking its revision if that is at zero. */
async function connect(
  cloud: Cloud,
  app: AppRuntime,
  target: number,
  socket: net.Socket,
  draw: () => number,
): Promise<void> {
  const revision = pickRevision(app, draw);
  if (mustWake(revision)) {
    const gone = new AbortController();
    socket.once("close", () => gone.abort());
    await wake(cloud, app, revision, AbortSignal.any([gone.signal, AbortSignal.timeout(connectMilliseconds)]));
  }
  const replica = nextReplica(revision);
  const port = replica?.ports.get(target);
  if (!replica || !revision || port === undefined || socket.destroyed) return void socket.destroy();
  const upstream = net.connect({ host: "127.0.0.1", port });
  replica.inFlight += 1;
  const end = (): void => {
    socket.destroy();
    upstream.destroy();
  };
  socket.once("close", () => {
    replica.inFlight -= 1;
    revision.usedAt = cloud.clock.now();
    end();
  });
  upstream.on("error", end).on("close", end);
  socket.pipe(upstream).pipe(socket);
}
