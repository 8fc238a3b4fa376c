// From a running cloud to the documents that it keeps, and back: which things make a cloud that cloud, and how each lives again.
// How documents are written is state.ts's; processes, probes and connections are not kept, they begin anew.
import { runtimeOf, startRevision } from "../app/app-runtime.ts";
import { watchSchedules } from "../app/job-executions.ts";
import { requestRows } from "../app/request-rows.ts";
import type { AppRuntime, Revision } from "../app/revisions.ts";
import type { KeptOperation, Operations } from "../arm/operations.ts";
import type { Cloud, Resource, ResourceKind } from "../arm/resource.ts";
import { takeUp } from "../arm/resource-manager.ts";
import type { Control } from "../controls/control.ts";
import { truthsOf } from "../controls/quirks-in-force.ts";

/** The parts of a cloud that have something to keep. */
export interface Parts {
  readonly cloud: Cloud;
  readonly control: Control;
  readonly operations: Operations;
}

type Plain = string | number | boolean | null | undefined | readonly Plain[] | { readonly [name: string]: Plain };

interface Settings {
  readonly heldAt: number | null;
  readonly lagSeconds: number;
}

type KeptApp = Omit<AppRuntime, "revisions" | "truths" | "takenSuffixes" | "latestReady"> & {
  readonly revisions: readonly Omit<Revision, "set">[];
  readonly takenSuffixes: readonly string[];
  readonly latestReady: string | null;
};

/** Gives everything that a cloud must not lose, by key. Made anew at each call, and cheap enough for that: a stand-in is small. */
export function* documentsOf({ cloud, control, operations }: Parts): Iterable<readonly [string, unknown]> {
  yield ["settings", { heldAt: control.heldAt ?? null, lagSeconds: requestRows(cloud).lagSeconds } satisfies Settings];
  for (const resource of cloud.store.list()) yield [`resource ${resource.id}`, resource];
  for (const [id, app] of runtimeOf(cloud).apps) yield [`app ${id}`, keptApp(app)];
  for (const operation of operations.kept()) yield [`operation ${operation.id}`, operation];
}

// Whoever gives an app or a revision something that is no plain value is stopped by the compiler here, and says how it is to live again.
const keptApp = ({ truths: _, ...app }: AppRuntime): KeptApp =>
  ({
    ...app,
    operating: false,
    takenSuffixes: [...app.takenSuffixes],
    latestReady: app.latestReady?.name ?? null,
    revisions: app.revisions.map(({ set: _, ...revision }) => revision satisfies Plain),
  }) satisfies Plain;

function revivedApp(kept: KeptApp, cloud: Cloud): AppRuntime {
  const revisions = kept.revisions.map((revision): Revision => ({ ...revision, set: undefined }));
  return {
    ...kept,
    truths: truthsOf(cloud),
    revisions,
    takenSuffixes: new Set(kept.takenSuffixes),
    latestReady: revisions.find(({ name }) => name === kept.latestReady),
  };
}

/**
 * Lets a cloud be what the documents say, starts its revisions' processes, and takes up the writes that were under way.
 *
 * An operation goes on under its own name, so that whoever polls it sees its end, as after a machine of Azure's was restarted.
 */
export async function revive(
  documents: ReadonlyMap<string, unknown>,
  { cloud, control, operations }: Parts,
  kinds: readonly ResourceKind[],
): Promise<void> {
  const every = <Document>(kind: string): readonly Document[] =>
    [...documents].filter(([key]) => key.split(" ")[0] === kind).map(([, document]) => document as Document);
  for (const { heldAt, lagSeconds } of every<Settings>("settings")) {
    control.heldAt = heldAt ?? undefined;
    requestRows(cloud).lagSeconds = lagSeconds;
  }
  every<Resource>("resource").forEach(cloud.store.put);
  if (cloud.store.list().some(({ type }) => type === "Microsoft.App/jobs")) watchSchedules(cloud);
  for (const app of every<KeptApp>("app").map((kept) => revivedApp(kept, cloud))) {
    runtimeOf(cloud).apps.set(app.id.toLowerCase(), app);
    for (const revision of app.revisions)
      if (revision.active && !revision.atZero) startRevision(cloud, app, revision, revision.started?.by);
  }
  for (const operation of every<KeptOperation>("operation")) {
    if (operation.status === "InProgress") await takeUp(cloud, kinds, operations, operation);
    else operations.remember(operation);
  }
}
