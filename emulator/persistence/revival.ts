// Turns a running cloud into the documents that it keeps, and back: settings, resources, apps and operations.
// Processes, probes and connections are not kept; they start anew. How documents are written is in state.ts.
import { runtimeOf, startRevision } from "../app/app-runtime.ts";
import { watchSchedules } from "../app/job-executions.ts";
import { requestRows } from "../app/request-rows.ts";
import type { AppRuntime, Revision } from "../app/revisions.ts";
import type { KeptOperation, Operations } from "../arm/operations.ts";
import type { Cloud, Resource, ResourceType } from "../arm/resource.ts";
import { resumeWrite } from "../arm/writes.ts";
import type { Control } from "../controls/control.ts";
import { quirksOf } from "../controls/quirks-in-force.ts";

/** The parts of a cloud that have state to keep. */
export interface Parts {
  readonly cloud: Cloud;
  readonly control: Control;
  readonly operations: Operations;
}

type Plain = string | number | boolean | null | undefined | readonly Plain[] | { readonly [name: string]: Plain };

interface Settings {
  /** The time at which the clock is stopped; null while it runs. */
  readonly stoppedAt: number | null;
  readonly lagSeconds: number;
}

type KeptApp = Omit<AppRuntime, "revisions" | "quirks" | "takenSuffixes" | "latestReady"> & {
  readonly revisions: readonly Omit<Revision, "set">[];
  readonly takenSuffixes: readonly string[];
  readonly latestReady: string | null;
};

/**
 * Gives everything that a cloud must not lose, by key. An emulator is small, so
 * that making this at every call is cheap.
 */
export function* documentsOf({ cloud, control, operations }: Parts): Iterable<readonly [string, unknown]> {
  yield [
    "settings",
    { stoppedAt: control.stoppedAt ?? null, lagSeconds: requestRows(cloud).lagSeconds } satisfies Settings,
  ];
  for (const resource of cloud.store.list()) yield [`resource ${resource.id}`, resource];
  for (const [id, app] of runtimeOf(cloud).apps) yield [`app ${id}`, keptApp(app)];
  for (const operation of operations.kept()) yield [`operation ${operation.id}`, operation];
}

// A new field of an app or a revision that is no plain value does not compile
// here until it is decided how it is restored.
const keptApp = ({ quirks: _quirks, ...app }: AppRuntime): KeptApp =>
  ({
    ...app,
    operating: false,
    takenSuffixes: [...app.takenSuffixes],
    latestReady: app.latestReady?.name ?? null,
    revisions: app.revisions.map(({ set: _set, ...revision }) => revision satisfies Plain),
  }) satisfies Plain;

function revivedApp(kept: KeptApp, cloud: Cloud): AppRuntime {
  const revisions = kept.revisions.map((revision): Revision => ({ ...revision, set: undefined }));
  return {
    ...kept,
    quirks: quirksOf(cloud),
    revisions,
    takenSuffixes: new Set(kept.takenSuffixes),
    latestReady: revisions.find(({ name }) => name === kept.latestReady),
  };
}

/**
 * Restores a cloud from its documents: starts the processes of its revisions and
 * resumes the writes that were in progress.
 *
 * An operation keeps its id, so that a client that polls it sees its end.
 */
export async function revive(
  documents: ReadonlyMap<string, unknown>,
  { cloud, control, operations }: Parts,
  types: readonly ResourceType[],
): Promise<void> {
  const every = <Document>(prefix: string): readonly Document[] =>
    [...documents].filter(([key]) => key.split(" ")[0] === prefix).map(([, document]) => document as Document);
  for (const { stoppedAt, lagSeconds } of every<Settings>("settings")) {
    control.stoppedAt = stoppedAt ?? undefined;
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
    if (operation.status === "InProgress") await resumeWrite(cloud, types, operations, operation);
    else operations.remember(operation);
  }
}
