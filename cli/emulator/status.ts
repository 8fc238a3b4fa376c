// `ballast local status`: how the stand-in cloud stands, asked of Resource Manager as any client would, and of its own controls for what
// Azure has no word for: processes, clock, faults.
import type { Command } from "commander";
import { print, printJson } from "../terminal.ts";
import { type LocalClient, type LocalOptions, localClient, onFolder } from "./client.ts";
import { folderNamed, isKept, standingOf } from "./folder.ts";
import { appsVersion, type CloudStanding, here, type RevisionStanding, standingLines } from "./lines.ts";

/** What Resource Manager answers of a container app, as far as it is looked at here. */
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

interface StandInProcess {
  readonly revision: string;
  readonly replica: string;
  readonly pid: number | null;
  readonly ready: boolean;
  readonly restarts: number;
}

/** Adds the command. It exits with 3 where no cloud is up, so that a script can ask. */
export const addStatus = (group: Command): Command =>
  onFolder(group.command("status"))
    .description(
      "tell whether the stand-in cloud is up, and its apps, revisions, weights, replicas, addresses, faults and clock",
    )
    .addHelpText(
      "after",
      "\nThe exit code is 3 where it is not up.\n\nExamples:\n  ballast local status\n  ballast local status --json | jq '.apps[].revisions[] | select(.weight > 0)'",
    )
    .action(async ({ folder: named, json }: LocalOptions) => {
      const folder = folderNamed(named);
      const standing = standingOf(folder);
      if (standing.kind === "up") {
        const found = await look(await localClient(folder));
        return json ? printJson({ up: true, ...found }) : print(standingLines(found));
      }
      process.exitCode = 3;
      const kept = isKept(folder);
      const killed = standing.kind === "down" ? standing.killed?.pid : undefined;
      if (json)
        return printJson({ up: false, folder, kept, starting: standing.kind === "starting", killed: killed ?? null });
      const state =
        standing.kind === "starting"
          ? `process ${standing.running.pid} is starting it`
          : killed
            ? `process ${killed} was killed`
            : "not up";
      print(
        `The stand-in cloud of ${here(folder)}: ${state}${kept ? "; its state is kept" : ", and nothing is kept there"}.`,
      );
    });

/** Gives an app's id, name and address of every app of the cloud. */
export const appsOf = async ({ ask, cloud }: LocalClient): Promise<readonly ArmApp[]> =>
  (
    await ask(
      "GET",
      `/subscriptions/${cloud.subscription}/providers/Microsoft.App/containerApps?api-version=${appsVersion}`,
    )
  ).value;

async function look(client: LocalClient): Promise<CloudStanding> {
  const { ask, folder, running, cloud } = client;
  const [clock, { faults }, { processes }, apps] = await Promise.all([
    ask("GET", "/_standin/clock"),
    ask("GET", "/_standin/faults"),
    ask("GET", "/_standin/processes"),
    appsOf(client),
  ]);
  return {
    folder,
    pid: running.pid,
    startedAt: running.startedAt,
    port: cloud.port,
    postgres: running.postgres ?? null,
    clock: { at: clock.at, held: clock.held },
    faults: faults.filter(({ times }: { times: number }) => times > 0),
    apps: await Promise.all(
      apps.map(async ({ id, name, properties }) => {
        const value = await revisionsOf(client, id);
        const address = properties.configuration.ingress?.fqdn;
        return {
          name,
          resourceGroup: id.split("/")[4] ?? "",
          address: address ? `https://${address}` : "",
          revisions: value.map((one) => revisionStanding(name, one, labelsOf(properties, one.name), processes)),
        };
      }),
    ),
  };
}

/** Lists the revisions of an app, page by page. */
async function revisionsOf({ ask }: LocalClient, id: string): Promise<readonly ArmRevision[]> {
  const found: ArmRevision[] = [];
  for (let next: string | undefined = `${id}/revisions?api-version=${appsVersion}`; next !== undefined; ) {
    const page = (await ask("GET", next)) as { value: readonly ArmRevision[]; nextLink?: string };
    found.push(...page.value);
    next = page.nextLink === undefined ? undefined : page.nextLink.slice(new URL(page.nextLink).origin.length);
  }
  return found;
}

/** A revision does not show its labels; the app's traffic does. */
const labelsOf = ({ configuration: { ingress } }: ArmApp["properties"], revision: string): readonly string[] =>
  (ingress?.traffic ?? []).flatMap(({ revisionName, label }) =>
    label !== undefined && revisionName === revision ? [label] : [],
  );

function revisionStanding(
  app: string,
  { name, properties }: ArmRevision,
  labels: readonly string[],
  processes: readonly StandInProcess[],
): RevisionStanding {
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
