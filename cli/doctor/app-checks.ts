// Whether the app that is released can be: by canary at all, with images that can be pulled, and with requests that are written down in time.
// One request is sent to it, as a user sends one; nothing is changed.
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerApp } from "@azure/arm-appcontainers";
import { fitnessOf } from "../../controlplane/adapters/azure/traffic.ts";
import { whyUnfit } from "../../engines/rollout/decide.ts";
import { doctorAppUnfit, doctorImageUnpullable, doctorRowsLate, doctorRowsUnwired } from "../../errors/doctor.ts";
import type { AppPatient, Patient } from "./context.ts";
import { type Check, failed, ok, type Said, unknown } from "./finding.ts";
import { nameOf, type ReleasedApp } from "./stack.ts";
import { wordsOf } from "./subscription-checks.ts";

const appsVersion = "2025-07-01";
/** Roles whose bearer may pull, by the GUIDs that they have in every tenant: AcrPull, AcrPush, Contributor, Owner. */
const pullRoles = [
  "7f951dda-4ed3-4680-a7ca-43fe172d538d",
  "8311e382-0749-4cb8-b61a-304f252e45ec",
  "b24988ac-6180-42a0-ab88-20f7382dd24c",
  "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
];

/** An app as Resource Manager shows it, as far as it is looked at here. */
export interface LiveApp {
  readonly identity?: { readonly userAssignedIdentities?: Readonly<Record<string, unknown>> };
  readonly properties: {
    readonly managedEnvironmentId: string;
    readonly configuration: {
      readonly ingress?: { readonly fqdn?: string };
      readonly registries?: readonly {
        readonly server: string;
        readonly identity?: string;
        readonly username?: string;
      }[];
    };
    readonly template: { readonly containers: readonly { readonly image: string }[] };
  };
}

const sameText = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** Gives the live app, or says why there is none to look at: before the first `pulumi up` that is no fault. */
async function liveApp({ ask, app: { id } }: AppPatient): Promise<LiveApp | Said> {
  const answer = await ask("GET", id, appsVersion);
  if (answer.status === 404) return unknown(`${nameOf(id)} is not there yet: the first \`pulumi up\` makes it`);
  return answer.status === 200 ? (answer.body as LiveApp) : unknown(wordsOf(answer));
}

/** Runs a check of the live app where there is one. */
const onApp =
  (look: (live: LiveApp, patient: AppPatient) => Promise<Said>) =>
  async (patient: AppPatient): Promise<Said> => {
    const live = await liveApp(patient);
    return "state" in live ? live : look(live, patient);
  };

/** Judges by the control plane's own reading and the engine's own words, so that what passes here is not rejected there. */
export function judgeFitness(app: string, { properties: { configuration } }: LiveApp): Said {
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

/** Follows the way of a pull: the image's registry, the app's sign-in to it, the identity behind that, its role at the registry. */
async function pull(live: LiveApp, { ask, app: { id }, stack: { subscription } }: AppPatient): Promise<Said> {
  const app = nameOf(id);
  const image = live.properties.template.containers[0]?.image ?? "";
  const server = image.split("/")[0] ?? "";
  if (!server.endsWith(".azurecr.io"))
    return unknown(`${image} comes from another kind of registry, whose rights are not Azure's`);
  const cannot = (why: string): Said => failed(doctorImageUnpullable({ app, image, why }));
  const signIn = live.properties.configuration.registries?.find((one) => sameText(one.server, server));
  if (signIn === undefined) return cannot(`it does not sign in to ${server}`);
  if (!signIn.identity) return unknown(`${app} signs in to ${server} with a password, which is not looked at`);
  const identity = Object.keys(live.identity?.userAssignedIdentities ?? {}).find((each) =>
    sameText(each, signIn.identity!),
  );
  if (identity === undefined)
    return cannot(`${signIn.identity.split("/").at(-1)}, which it names for ${server}, is no identity of its own`);
  const [registries, principal] = await Promise.all([
    ask("GET", `/subscriptions/${subscription}/providers/Microsoft.ContainerRegistry/registries`, "2023-01-01-preview"),
    ask("GET", identity, "2023-01-31"),
  ]);
  if (principal.status === 404) return cannot(`its identity ${identity.split("/").at(-1)} is gone`);
  const registry = (registries.body?.value as { id: string; properties: { loginServer: string } }[] | undefined)?.find(
    ({ properties }) => sameText(properties.loginServer, server),
  );
  if (registry === undefined) return unknown(`the registry ${server} is in no resource group that this caller sees`);
  const assigned = await ask("GET", `${registry.id}/providers/Microsoft.Authorization/roleAssignments`, "2022-04-01");
  if (assigned.status !== 200) return unknown(wordsOf(assigned));
  const has = (assigned.body.value as { properties: { principalId: string; roleDefinitionId: string } }[]).some(
    ({ properties }) =>
      properties.principalId === principal.body.properties.principalId &&
      pullRoles.some((role) => properties.roleDefinitionId.toLowerCase().endsWith(role)),
  );
  return has
    ? ok(`${identity.split("/").at(-1)} may pull ${image}`)
    : cannot(`its identity ${identity.split("/").at(-1)} has no role at ${server} that lets it pull`);
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

/** Sends a request that no other is like, and waits for its row twice as long as the stack says that it may take. */
async function rows(
  live: LiveApp,
  { ask, query, visit, app: { id, probePath }, stack: { ingestionSeconds } }: AppPatient,
): Promise<Said> {
  const app = nameOf(id);
  const environment = live.properties.managedEnvironmentId;
  const address = live.properties.configuration.ingress?.fqdn;
  const wired = await ask(
    "GET",
    `${environment}/providers/Microsoft.Insights/diagnosticSettings`,
    "2021-05-01-preview",
  );
  if (wired.status !== 200) return unknown(wordsOf(wired));
  const workspaceId = (wired.body.value as readonly DiagnosticSetting[]).find(writesRows)?.properties.workspaceId;
  if (workspaceId === undefined) return failed(doctorRowsUnwired({ environment: environment.split("/").at(-1)! }));
  if (address === undefined) return unknown(`${app} has no address to send a request to`);
  const workspace = await ask("GET", workspaceId, "2023-09-01");
  if (workspace.status !== 200) return unknown(wordsOf(workspace));
  const path = `${probePath}${probePath.includes("?") ? "&" : "?"}ballast-doctor=${crypto.randomUUID()}`;
  await visit(`https://${address}${path}`);
  const sentAt = performance.now();
  const seconds = (): number => Math.round((performance.now() - sentAt) / 1000);
  const pauseMilliseconds = Math.min(5, Math.max(0.2, ingestionSeconds / 10)) * 1000;
  for (;;) {
    const answer = await query(
      workspace.body.properties.customerId,
      `ContainerAppHTTPLogs\n| where ContainerAppName == ${JSON.stringify(app)} and Path == ${JSON.stringify(path)}\n| summarize rows = count()`,
    );
    if (answer.status !== 200) return unknown(`request rows cannot be read: ${wordsOf(answer)}`);
    const came = Number(answer.body.tables[0].rows[0]?.[0] ?? 0) > 0;
    if (came && seconds() <= ingestionSeconds) return ok(`the row of a request came after ${seconds()} s`);
    if (came || seconds() > ingestionSeconds * 2 + 1)
      return failed(doctorRowsLate({ seconds: seconds(), ingestionSeconds, came }));
    await sleep(pauseMilliseconds);
  }
}

/** The checks of an app. */
export const appChecks: readonly Check<AppPatient>[] = [
  { name: "canary", run: onApp(async (live, { app }) => judgeFitness(nameOf(app.id), live)) },
  { name: "image", run: onApp(pull) },
  { name: "request rows", run: onApp(rows) },
];

/** Gives the checks of a stack's apps, which say of which they are where there are several. */
export const checksOfApps = (apps: readonly ReleasedApp[]): readonly Check<Patient>[] =>
  apps.flatMap((app) =>
    appChecks.map(({ name, run }) => ({
      name: apps.length > 1 ? `${name} of ${nameOf(app.id)}` : name,
      run: (patient) => run({ ...patient, app }),
    })),
  );
