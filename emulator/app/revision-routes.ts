// The routes below a container app: its revisions and their replicas, and activate, deactivate and restart. An action
// is complete when it is answered, although its processes may take a moment to end.
import { listReply } from "../arm/lists.ts";
import { ArmError, type ArmReply, type ArmRequest, type Body, type Cloud, type Resource } from "../arm/resource.ts";
import { runtimeOf, startRevision, stopRevision, untilReady } from "./app-runtime.ts";
import { streamAddress } from "./log-stream.ts";
import {
  type AppRuntime,
  findRevision,
  isSingle,
  latestOf,
  presentReplica,
  presentRevision,
  progressDeadlineMilliseconds,
  type Revision,
} from "./revisions.ts";

const notFound = (app: AppRuntime, what: string): ArmError =>
  new ArmError(404, "ResourceNotFound", `${what} of container app '${app.name}' was not found.`);

/** Answers `/revisions…`; undefined for any other route. @throws ArmError 404 for an unknown revision or replica */
export async function revisionRoutes(
  resource: Resource,
  [collection, revisionName, action, replicaName, ...more]: readonly string[],
  request: ArmRequest,
  cloud: Cloud,
): Promise<ArmReply | undefined> {
  const app = runtimeOf(cloud).apps.get(resource.id.toLowerCase());
  if (!app || collection?.toLowerCase() !== "revisions" || more.length > 0) return undefined;
  const now = cloud.clock.now();
  if (revisionName === undefined) return request.method === "GET" ? listRevisions(app, request, now) : undefined;
  const revision = findRevision(app, revisionName);
  if (!revision) throw notFound(app, `Revision '${revisionName}'`);
  const verb = `${request.method} ${action?.toLowerCase() ?? ""}`.trim();
  if (verb === "GET") return { status: 200, body: presentRevision(app, revision, now) };
  if (verb === "GET replicas") return showReplicas(cloud, app, revision, request, replicaName);
  if (replicaName !== undefined) return undefined;
  if (verb === "POST activate") return activate(cloud, app, revision);
  if (verb === "POST deactivate") return deactivate(app, revision, resource, now);
  if (verb === "POST restart") {
    revision.set?.recycle();
    return untilActed(cloud, app, revision);
  }
  return undefined;
}

function showReplicas(
  cloud: Cloud,
  app: AppRuntime,
  revision: Revision,
  request: ArmRequest,
  name: string | undefined,
): ArmReply {
  const replicas = revision.set?.replicas ?? [];
  const streams = streamAddress(cloud, app.id);
  if (name === undefined)
    return listReply(
      request,
      replicas.map((each) => presentReplica(app, revision, each, streams)),
    );
  const replica = replicas.find((each) => each.name === name);
  if (!replica) throw notFound(app, `Replica '${name}'`);
  return { status: 200, body: presentReplica(app, revision, replica, streams) };
}

/** Activates a revision. An active one stays as it is, also at zero replicas. */
async function activate(cloud: Cloud, app: AppRuntime, revision: Revision): Promise<ArmReply> {
  if (!revision.active) startRevision(cloud, app, revision, "activation");
  const reply = await untilActed(cloud, app, revision);
  if (isSingle(app) && revision !== latestOf(app))
    cloud.log(`${revision.name} was activated in Single mode; it gets no traffic`);
  return reply;
}

/** Answers an action: at once, or when the revision is ready if the quirk `actions-do-not-wait` is switched off. */
async function untilActed(cloud: Cloud, app: AppRuntime, revision: Revision): Promise<ArmReply> {
  if (!app.quirks["actions-do-not-wait"])
    await untilReady(revision, cloud.clock.now, AbortSignal.timeout(progressDeadlineMilliseconds));
  return { status: 200 };
}

function deactivate(app: AppRuntime, revision: Revision, resource: Resource, now: number): ArmReply {
  const { quirks } = app;
  if (!quirks["last-active-may-be-deactivated"] && app.revisions.every((each) => each === revision || !each.active)) {
    throw new ArmError(
      400,
      "ContainerAppOperationError",
      `Revision '${revision.name}' is the last active revision of container app '${app.name}'.`,
    );
  }
  void stopRevision(revision, now);
  if (quirks["deactivated-keeps-its-entry"]) return { status: 200 };
  for (const ingress of [app.configuration["ingress"], resource.body["properties"]?.configuration?.ingress] as (
    | Body
    | undefined
  )[]) {
    if (ingress?.["traffic"])
      ingress["traffic"] = (ingress["traffic"] as Body[]).filter(({ revisionName }) => revisionName !== revision.name);
  }
  return { status: 200 };
}

const pageSize = 10;

/** Gives a page of the revisions, with the link to the next page if there is one. */
const listRevisions = (app: AppRuntime, request: ArmRequest, now: number): ArmReply =>
  listReply(
    request,
    app.revisions.map((each) => presentRevision(app, each, now)),
    {
      ...(app.quirks["lists-are-paged"] ? { pageSize } : {}),
      filters: {
        name: ({ name }) => name,
        active: ({ properties }) => properties.active,
        "properties/active": ({ properties }) => properties.active,
      },
    },
  );
