// `ballast emulator status`: reads the emulator's state from Resource Manager, as any client would, and processes,
// clock and faults from the emulator's own controls.
import type { Command } from "commander";
import { emulatorNotUp } from "../../errors/cli.ts";
import { print, printJson } from "../terminal.ts";
import { type EmulatorClient, emulatorClient, type FolderOptions, withFolderOptions } from "./client.ts";
import { type FolderState, folderNamed, folderStateOf, isKept } from "./folder.ts";
import { appsVersion, commandLine, type EmulatorStatus, here, type RevisionStatus, statusLines } from "./lines.ts";

/** The part of a container app that is read here, as Resource Manager answers it. */
export interface ArmApp {
  readonly id: string;
  readonly name: string;
  readonly properties: {
    readonly configuration: {
      readonly ingress?: {
        readonly fqdn?: string;
        readonly traffic?: readonly { readonly revisionName?: string; readonly label?: string }[];
      };
    };
  };
}

interface ArmRevision {
  readonly name: string;
  readonly properties: {
    readonly active: boolean;
    readonly trafficWeight: number;
    readonly runningState: string;
    readonly fqdn: string;
  };
}

interface ReplicaProcess {
  readonly revision: string;
  readonly replica: string;
  readonly pid: number | null;
  readonly ready: boolean;
  readonly restarts: number;
}

interface InertResource {
  readonly id: string;
  readonly fields: readonly { readonly field: string; readonly why: string }[];
}

/** Adds the command `status`. */
export const addStatus = (group: Command): Command =>
  withFolderOptions(group.command("status"))
    .description(
      "show whether the emulator is running, with its apps, revisions, weights, replicas, faults, clock, " +
        "and what it accepted without effect",
    )
    .addHelpText(
      "after",
      `
The exit code is 3 if the emulator is not running.

Examples:
  ballast emulator status
  ballast emulator status --json | jq '.apps[].revisions[] | select(.weight > 0)'`,
    )
    .action(async ({ folder: named, json }: FolderOptions) => {
      const folder = folderNamed(named);
      const state = folderStateOf(folder);
      if (state.kind !== "up") return printNotUp(folder, state, json);
      const status = await statusOf(await emulatorClient(folder));
      return json ? printJson({ up: true, ...status }) : print(statusLines(status));
    });

/** Prints that the emulator is not running, and sets the exit code, so that a script can ask. */
function printNotUp(folder: string, state: Exclude<FolderState, { kind: "up" }>, json: boolean | undefined): void {
  process.exitCode = emulatorNotUp({ folder, start: commandLine("emulator up") }).exitCode;
  const kept = isKept(folder);
  const killed = state.kind === "down" ? state.killed?.pid : undefined;
  if (json) return printJson({ up: false, folder, kept, starting: state.kind === "starting", killed: killed ?? null });
  const saved = kept ? "Its state is saved." : "It has no saved state.";
  print(`The emulator of ${here(folder)} is not running${notUpReason(state)}. ${saved}`);
}

function notUpReason(state: Exclude<FolderState, { kind: "up" }>): string {
  if (state.kind === "starting") return ` yet; process ${state.running.pid} is starting it`;
  return state.killed ? `; process ${state.killed.pid} was killed` : "";
}

/** Lists the apps of the emulator. */
export const appsOf = async ({ ask, cloud }: EmulatorClient): Promise<readonly ArmApp[]> =>
  (
    await ask(
      "GET",
      `/subscriptions/${cloud.subscription}/providers/Microsoft.App/containerApps?api-version=${appsVersion}`,
    )
  ).value;

async function statusOf(client: EmulatorClient): Promise<EmulatorStatus> {
  const { ask, folder, running, cloud } = client;
  const [clock, { faults }, { processes }, { resources }, apps] = await Promise.all([
    ask("GET", "/_emulator/clock"),
    ask("GET", "/_emulator/faults"),
    ask("GET", "/_emulator/processes"),
    ask("GET", "/_emulator/inert"),
    appsOf(client),
  ]);
  return {
    folder,
    pid: running.pid,
    startedAt: running.startedAt,
    port: cloud.port,
    postgres: running.postgres ?? null,
    clock: { at: clock.at, stopped: clock.stopped },
    faults: faults.filter(({ times }: { times: number }) => times > 0),
    withoutEffect: (resources as readonly InertResource[]).flatMap(({ id, fields }) =>
      fields.map((each) => ({ resource: id.split("/").at(-1) ?? "", ...each })),
    ),
    apps: await Promise.all(
      apps.map(async ({ id, name, properties }) => {
        const value = await revisionsOf(client, id);
        const address = properties.configuration.ingress?.fqdn;
        return {
          name,
          resourceGroup: id.split("/")[4] ?? "",
          address: address ? `https://${address}` : "",
          revisions: value.map((one) => revisionStatus(name, one, labelsOf(properties, one.name), processes)),
        };
      }),
    ),
  };
}

/** Lists the revisions of an app, from all pages. */
async function revisionsOf({ ask }: EmulatorClient, id: string): Promise<readonly ArmRevision[]> {
  const found: ArmRevision[] = [];
  for (let next: string | undefined = `${id}/revisions?api-version=${appsVersion}`; next !== undefined; ) {
    const page = (await ask("GET", next)) as { value: readonly ArmRevision[]; nextLink?: string };
    found.push(...page.value);
    next = page.nextLink === undefined ? undefined : page.nextLink.slice(new URL(page.nextLink).origin.length);
  }
  return found;
}

/** Gives a revision's labels, which only the app's traffic shows. */
const labelsOf = ({ configuration: { ingress } }: ArmApp["properties"], revision: string): readonly string[] =>
  (ingress?.traffic ?? []).flatMap(({ revisionName, label }) =>
    label !== undefined && revisionName === revision ? [label] : [],
  );

function revisionStatus(
  app: string,
  { name, properties }: ArmRevision,
  labels: readonly string[],
  processes: readonly ReplicaProcess[],
): RevisionStatus {
  const { active, trafficWeight, runningState, fqdn } = properties;
  return {
    name,
    active,
    weight: trafficWeight,
    state: runningState,
    labels,
    address: fqdn && `https://${fqdn}`,
    labelAddresses: fqdn ? labels.map((label) => `https://${app}---${label}${fqdn.slice(name.length)}`) : [],
    replicas: processes
      .filter(({ revision }) => revision === name)
      .map(({ replica, pid, ready, restarts }) => ({ name: replica, pid, ready, restarts })),
  };
}
