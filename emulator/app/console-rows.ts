// The table ContainerAppConsoleLogs: what replicas of apps and executions of jobs print, for the workspaces that their
// environment's diagnostic settings name. The rows are made from the kept log lines when a query asks for them.
import type { Cloud } from "../arm/resource.ts";
import type { KqlType, Row } from "../kql/values.ts";
import { environmentIdOf } from "./app-bodies.ts";
import { runtimeOf } from "./app-runtime.ts";
import { requestRows, wiredWorkspaces } from "./request-rows.ts";

/** The columns that the emulator fills. */
export const consoleColumns: readonly { readonly name: string; readonly type: KqlType }[] = [
  { name: "TenantId", type: "string" },
  { name: "TimeGenerated", type: "datetime" },
  { name: "ContainerAppName", type: "string" },
  { name: "JobName", type: "string" },
  { name: "RevisionName", type: "string" },
  { name: "ContainerGroupName", type: "string" },
  { name: "ContainerName", type: "string" },
  { name: "Log", type: "string" },
];

/** Gives the rows that a query of a workspace sees now. */
export function consoleRows(cloud: Cloud, workspace: string): readonly Row[] {
  const until = cloud.clock.now() - requestRows(cloud).lagSeconds * 1000;
  const writers = new Map(
    cloud.store
      .list()
      .filter(({ type }) => type === "Microsoft.App/containerApps" || type === "Microsoft.App/jobs")
      .map((each) => [each.body["name"], each]),
  );
  const wired = new Set(
    [...writers]
      .filter(([, { body }]) =>
        wiredWorkspaces(cloud, environmentIdOf(body), "containerappconsolelogs").includes(workspace),
      )
      .map(([name]) => name),
  );
  return runtimeOf(cloud)
    .logs.read(undefined, 0)
    .filter(({ app, at }) => wired.has(app) && at <= until)
    .map(({ app, revision, replica, container, at, text }) => {
      const { type, body } = writers.get(app)!;
      const isJob = type === "Microsoft.App/jobs";
      return {
        TenantId: workspace,
        TimeGenerated: at,
        ContainerAppName: isJob ? "" : app,
        JobName: isJob ? app : "",
        RevisionName: isJob ? "" : revision,
        ContainerGroupName: replica,
        ContainerName: container ?? String(body["properties"].template?.containers?.[0]?.name ?? app),
        Log: text,
      };
    });
}
