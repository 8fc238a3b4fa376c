// Checks of a released app: whether it can be released by canary, whether its image can be pulled, and whether its
// requests are recorded in time. One request is sent to the app, as a user would send it; nothing is changed.

import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerApp } from "@azure/arm-appcontainers";
import { fitnessOf } from "../../controlplane/adapters/azure/traffic.ts";
import { whyUnfit } from "../../engines/rollout/decisions/start.ts";
import { sameName } from "../../engines/rollout/weights.ts";
import { doctorAppUnfit, doctorImageUnpullable, doctorRowsLate, doctorRowsUnwired } from "../../errors/doctor.ts";
import { messageOf } from "./azure-answer.ts";
import type { AppContext, Context } from "./context.ts";
import { type Check, type CheckResult, failed, ok, unknown } from "./finding.ts";
import { checkIdle } from "./idle-revisions.ts";
import { nameOf, type ReleasedApp } from "./stack.ts";

const appsVersion = "2025-07-01";
/** Roles that permit pulling, by the GUIDs that they have in every tenant: AcrPull, AcrPush, Contributor, Owner. */
const pullRoles = [
  "7f951dda-4ed3-4680-a7ca-43fe172d538d",
  "8311e382-0749-4cb8-b61a-304f252e45ec",
  "b24988ac-6180-42a0-ab88-20f7382dd24c",
  "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
];

/** The part of an app that is read here, as Resource Manager shows it. */
export interface LiveApp {
  readonly identity?: { readonly userAssignedIdentities?: Readonly<Record<string, unknown>> };
  readonly properties: {
    readonly managedEnvironmentId: string;
    readonly configuration: {
      readonly ingress?: {
        readonly fqdn?: string;
        readonly traffic?: readonly { readonly revisionName?: string; readonly label?: string }[];
      };
      readonly registries?: readonly {
        readonly server: string;
        readonly identity?: string;
        readonly username?: string;
      }[];
    };
    readonly template: { readonly containers: readonly { readonly image: string }[] };
  };
}

/** Gives the deployed app, or why there is none to check. Before the first `pulumi up` that is no failure. */
async function liveApp({ ask, app: { id } }: AppContext): Promise<LiveApp | CheckResult> {
  const answer = await ask("GET", id, appsVersion);
  if (answer.status === 404) return unknown(`${nameOf(id)} does not exist yet: the first \`pulumi up\` creates it`);
  return answer.status === 200 ? (answer.body as LiveApp) : unknown(messageOf(answer));
}

/** Makes a check of the deployed app; it is unknown before the app exists. */
const onApp =
  (check: (live: LiveApp, context: AppContext) => Promise<CheckResult>) =>
  async (context: AppContext): Promise<CheckResult> => {
    const live = await liveApp(context);
    return "state" in live ? live : check(live, context);
  };

/**
 * Judges whether an app can be released by canary.
 *
 * It reads the app as the control plane does and asks the engine, so an app that passes here is not rejected there.
 */
export function judgeFitness(app: string, { properties: { configuration } }: LiveApp): CheckResult {
  const why = whyUnfit({
    weights: [],
    revisions: [],
    ...fitnessOf({
      location: "",
      configuration: { ...configuration, ingress: configuration.ingress ?? undefined },
    } as ContainerApp),
  });
  return why === undefined ? ok(`${app} can be released by canary`) : failed(doctorAppUnfit({ app, why }));
}

/**
 * Checks each step of a pull: the image's registry, the app's sign-in to it, the identity behind that, and its role.
 */
async function pull(live: LiveApp, { ask, app: { id }, stack: { subscription } }: AppContext): Promise<CheckResult> {
  const app = nameOf(id);
  const image = live.properties.template.containers[0]?.image ?? "";
  const server = image.split("/")[0] ?? "";
  if (!server.endsWith(".azurecr.io"))
    return unknown(`${image} is not in an Azure registry, so its permissions cannot be read`);
  const cannot = (why: string): CheckResult => failed(doctorImageUnpullable({ app, image, why }));
  const signIn = live.properties.configuration.registries?.find((one) => sameName(one.server, server));
  if (signIn === undefined) return cannot(`it has no registry entry for ${server}`);
  if (!signIn.identity) return unknown(`${app} signs in to ${server} with a password, which is not checked`);
  const identity = Object.keys(live.identity?.userAssignedIdentities ?? {}).find((each) =>
    sameName(each, signIn.identity!),
  );
  if (identity === undefined)
    return cannot(`its entry for ${server} names the identity ${nameOf(signIn.identity)}, which the app does not have`);
  const identityName = nameOf(identity);
  const [registries, principal] = await Promise.all([
    ask("GET", `/subscriptions/${subscription}/providers/Microsoft.ContainerRegistry/registries`, "2023-01-01-preview"),
    ask("GET", identity, "2023-01-31"),
  ]);
  if (principal.status === 404) return cannot(`its identity ${identityName} no longer exists`);
  const registry = (registries.body?.value as { id: string; properties: { loginServer: string } }[] | undefined)?.find(
    ({ properties }) => sameName(properties.loginServer, server),
  );
  if (registry === undefined) return unknown(`you have no access to the registry ${server} in this subscription`);
  const assigned = await ask("GET", `${registry.id}/providers/Microsoft.Authorization/roleAssignments`, "2022-04-01");
  if (assigned.status !== 200) return unknown(messageOf(assigned));
  const has = (assigned.body.value as { properties: { principalId: string; roleDefinitionId: string } }[]).some(
    ({ properties }) =>
      properties.principalId === principal.body.properties.principalId &&
      pullRoles.some((role) => properties.roleDefinitionId.toLowerCase().endsWith(role)),
  );
  return has
    ? ok(`${identityName} may pull ${image}`)
    : cannot(`its identity ${identityName} has no role on ${server} that permits pulling`);
}

interface DiagnosticSetting {
  readonly properties: {
    readonly workspaceId?: string;
    readonly logs?: readonly {
      readonly category?: string;
      readonly categoryGroup?: string;
      readonly enabled: boolean;
    }[];
  };
}

const writesRows = ({ properties: { workspaceId, logs = [] } }: DiagnosticSetting): boolean =>
  workspaceId !== undefined &&
  logs.some(
    ({ enabled, category, categoryGroup }) =>
      enabled && (category === "ContainerAppHTTPLogs" || categoryGroup === "allLogs"),
  );

const rowsOf = (app: string, path: string): string =>
  [
    "ContainerAppHTTPLogs",
    `where ContainerAppName == ${JSON.stringify(app)} and Path == ${JSON.stringify(path)}`,
    "summarize rows = count()",
  ].join("\n| ");

/** Sends a request with a unique path and waits for its row, up to twice `ingestionSeconds`. */
async function rows(
  live: LiveApp,
  { ask, query, visit, app: { id, probePath }, stack: { ingestionSeconds } }: AppContext,
): Promise<CheckResult> {
  const app = nameOf(id);
  const environment = live.properties.managedEnvironmentId;
  const address = live.properties.configuration.ingress?.fqdn;
  const settings = await ask(
    "GET",
    `${environment}/providers/Microsoft.Insights/diagnosticSettings`,
    "2021-05-01-preview",
  );
  if (settings.status !== 200) return unknown(messageOf(settings));
  const workspaceId = (settings.body.value as readonly DiagnosticSetting[]).find(writesRows)?.properties.workspaceId;
  if (workspaceId === undefined) return failed(doctorRowsUnwired({ environment: nameOf(environment) }));
  if (address === undefined) return unknown(`${app} has no ingress to send a request to`);
  const workspace = await ask("GET", workspaceId, "2023-09-01");
  if (workspace.status !== 200) return unknown(messageOf(workspace));
  const path = `${probePath}${probePath.includes("?") ? "&" : "?"}ballast-doctor=${crypto.randomUUID()}`;
  await visit(`https://${address}${path}`);
  const sentAt = performance.now();
  const seconds = (): number => Math.round((performance.now() - sentAt) / 1000);
  const pauseMilliseconds = Math.min(5, Math.max(0.2, ingestionSeconds / 10)) * 1000;
  for (;;) {
    const answer = await query(workspace.body.properties.customerId, rowsOf(app, path));
    if (answer.status !== 200) return unknown(`request rows cannot be read: ${messageOf(answer)}`);
    const came = Number(answer.body.tables[0].rows[0]?.[0] ?? 0) > 0;
    if (came && seconds() <= ingestionSeconds) return ok(`the row of a test request arrived after ${seconds()} s`);
    if (came || seconds() > ingestionSeconds * 2 + 1)
      return failed(doctorRowsLate({ seconds: seconds(), ingestionSeconds, came }));
    await sleep(pauseMilliseconds);
  }
}

/** The checks of an app. */
export const appChecks: readonly Check<AppContext>[] = [
  { name: "canary", run: onApp(async (live, { app }) => judgeFitness(nameOf(app.id), live)) },
  { name: "image", run: onApp(pull) },
  { name: "request rows", run: onApp(rows) },
  {
    name: "idle revisions",
    run: onApp(async (live, context) => checkIdle(live.properties.configuration.ingress?.traffic ?? [], context)),
  },
];

/** Gives the checks of a stack's apps. Their names include the app's when there are several. */
export const checksOfApps = (apps: readonly ReleasedApp[]): readonly Check<Context>[] =>
  apps.flatMap((app) =>
    appChecks.map(({ name, run }) => ({
      name: apps.length > 1 ? `${name} of ${nameOf(app.id)}` : name,
      run: (context) => run({ ...context, app }),
    })),
  );
