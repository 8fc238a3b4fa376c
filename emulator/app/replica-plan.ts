// What the replicas of a revision run: its containers as programs with their arguments, variables, ports, probes and
// volumes. Everything is read when the revision starts, except the values of secrets, which a container gets when its
// process starts.
import path from "node:path";
import type { Body, Cloud } from "../arm/resource.ts";
import type { ContainerPlan, Place } from "./container-process.ts";
import { identitiesFor } from "./contract/identity.ts";
import { planPorts, portVariables } from "./ports.ts";
import { planProbes } from "./probes.ts";
import type { ReplicaPlan } from "./replicas.ts";
import { type AppRuntime, type Revision, revisionHost } from "./revisions.ts";
import { storageFolderOf } from "./storages.ts";
import { secretValues } from "./vault-references.ts";
import { makeVolumes, mountVariables } from "./volumes.ts";

/** Gives the name of an image in the emulator's options: `storefront` for `registry.example/shop/storefront:2`. */
export const imageName = (image: unknown): string => (String(image).split("/").at(-1) ?? "").split(/[:@]/)[0] ?? "";

/** Gives what the replicas of a revision run; undefined when the program of an image is unknown. */
export function planReplicas(cloud: Cloud, app: AppRuntime, revision: Revision): ReplicaPlan | undefined {
  const { template } = revision;
  const ingress: Body | undefined = app.configuration["ingress"] ?? undefined;
  const ports = planPorts(template, ingress);
  const target = ingress ? Number(ingress["targetPort"] ?? 80) : undefined;
  const portsMatter = app.quirks["wrong-port-never-healthy"] !== false;
  const plan = (container: Body, index: number, isInit: boolean): ContainerPlan | undefined => {
    const program = programOf(cloud, container);
    const main = isInit ? undefined : ports.main[index];
    // Only the container behind the ingress gets probes that its template does not name.
    const added = index === 0 ? target : undefined;
    return (
      program && {
        name: container["name"],
        ...program,
        args: container["args"] ?? [],
        probes: planProbes(container, added, portsMatter ? undefined : main),
        environment: (place) => environmentOf({ cloud, app, revision, container, place, main, isInit }),
      }
    );
  };
  const initContainers = ((template["initContainers"] ?? []) as Body[]).map((each, index) => plan(each, index, true));
  const containers = ((template["containers"] ?? []) as Body[]).map((each, index) => plan(each, index, false));
  const isKnown = (each: ContainerPlan | undefined): each is ContainerPlan => each !== undefined;
  if (![...initContainers, ...containers].every(isKnown)) return undefined;
  return {
    app: app.name,
    revision: revision.name,
    initContainers: initContainers.filter(isKnown),
    containers: containers.filter(isKnown),
    mainPorts: ports.main,
    ports: ports.all,
    count: Math.max(1, Number(template["scale"]?.minReplicas ?? 0)),
    graceSeconds: Number(template["terminationGracePeriodSeconds"] ?? 30),
    volumes: () => makeVolumes(template, secretValues(cloud, app), storageFolderOf(cloud, app)),
  };
}

/** Gives the folder and the program of a container: the image's, or the template's command in the image's folder. */
export function programOf(cloud: Cloud, container: Body): Pick<ContainerPlan, "folder" | "command"> | undefined {
  const image = cloud.options.images[imageName(container["image"])];
  if (!image) return undefined;
  const [program, ...rest]: readonly string[] = container["command"] ?? [];
  if (program === undefined)
    return { folder: image.folder, command: [process.execPath, path.resolve(image.folder, image.entry)] };
  // `node` is this Node, since the machine may have none or an older one on its path.
  return { folder: image.folder, command: [program === "node" ? process.execPath : program, ...rest] };
}

/**
 * Gives a container the variables to reach the cloud and, if it may use identities of the app or job with this id, to
 * sign in.
 */
export function platformEnvironment(cloud: Cloud, id: string, phase: "init" | "main" = "main"): Record<string, string> {
  const identities = identitiesFor(cloud.store.get(id)?.body ?? {}, phase).map((each) =>
    each === "system" ? id.toLowerCase() : each,
  );
  return {
    ...machinesOwn(process.env),
    ...cloud.replicaEnvironment(identities.length > 0 ? identities : false),
  };
}

/** Picks the variables that say where this machine has its programs, and the compiled form of those that Node runs. */
const machinesOwn = ({ PATH, NODE_COMPILE_CACHE }: NodeJS.ProcessEnv): Record<string, string> => ({
  ...(PATH ? { PATH } : {}),
  ...(NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE } : {}),
});

/** Gives the variables of a container, with the values of secrets. */
export const variablesOf = (container: Body, secrets: ReadonlyMap<string, string>): Record<string, string> =>
  Object.fromEntries(
    ((container["env"] ?? []) as Body[]).map(({ name, value, secretRef }) => [
      name,
      secretRef ? (secrets.get(secretRef) ?? "") : String(value ?? ""),
    ]),
  );

/** One container where it starts. */
interface Start {
  readonly cloud: Cloud;
  readonly app: AppRuntime;
  readonly revision: Revision;
  readonly container: Body;
  readonly place: Place;
  /** The port that it listens on first, inside of the replica; undefined for an init container. */
  readonly main: number | undefined;
  readonly isInit: boolean;
}

/** Gives a container's variables: Azure's and the template's, and none of the emulator's own. */
function environmentOf({ cloud, app, revision, container, place, main, isInit }: Start): Record<string, string> {
  const targetPort = app.configuration["ingress"]?.targetPort;
  const port = main === undefined ? undefined : place.ports.get(main);
  return {
    ...platformEnvironment(cloud, app.id, isInit ? "init" : "main"),
    CONTAINER_APP_NAME: app.name,
    CONTAINER_APP_REVISION: revision.name,
    CONTAINER_APP_REPLICA_NAME: place.replica,
    CONTAINER_APP_HOSTNAME: revisionHost(app, revision.name),
    ...(targetPort ? { CONTAINER_APP_PORT: String(targetPort) } : {}),
    ...portVariables(place.ports),
    ...mountVariables(container, place.volumes),
    ...variablesOf(container, secretValues(cloud, app)),
    ...(port === undefined ? {} : { PORT: String(port) }),
  };
}
