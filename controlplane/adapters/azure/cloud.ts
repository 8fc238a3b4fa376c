// Reads of Container Apps that several adapters share.
import type { ContainerApp, Revision } from "@azure/arm-appcontainers";
import type { Target } from "../../../engines/rollout/vocabulary.ts";
import type { Connection } from "./connection.ts";
import type { SettleSetting } from "./settle.ts";
import { type Answered, ask } from "./trouble.ts";

/** The client of Container Apps, and for how long a call may take. */
export interface Cloud extends SettleSetting, Pick<Connection, "apps"> {}

export const getApp = (
  { apps, patience }: Cloud,
  { resourceGroup, app }: Target,
  cancel?: AbortSignal,
): Promise<Answered<ContainerApp>> =>
  ask(patience, cancel, (abortSignal) => apps.containerApps.get(resourceGroup, app, { abortSignal }));

export const getRevision = (
  { apps, patience }: Cloud,
  { resourceGroup, app }: Target,
  revision: string,
  cancel?: AbortSignal,
): Promise<Answered<Revision>> =>
  ask(patience, cancel, (abortSignal) =>
    apps.containerAppsRevisions.getRevision(resourceGroup, app, revision, { abortSignal }),
  );

export const listRevisions = (
  { apps, patience }: Cloud,
  { resourceGroup, app }: Target,
  cancel?: AbortSignal,
): Promise<Answered<readonly Revision[]>> =>
  ask(patience, cancel, async (abortSignal) => {
    const revisions: Revision[] = [];
    for await (const revision of apps.containerAppsRevisions.listRevisions(resourceGroup, app, { abortSignal }))
      revisions.push(revision);
    return revisions;
  });
