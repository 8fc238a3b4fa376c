// The output of `ballast emulator`: how to connect programs to it, and its status. Every command line of the guide
// works when it is pasted; a test runs them.
import path from "node:path";
import type { RunningEmulator } from "../../emulator/start.ts";
import { styled, table } from "../terminal.ts";

/** The API version of Container Apps that the guide names, since a client's default changes with its releases. */
export const appsVersion = "2025-07-01";

const launcher = path.join(import.meta.dirname, "..", "ballast.mjs");

/**
 * Gives a `ballast` command as it can be run from here.
 *
 * In a program that has the package, `ballast` is not on the PATH.
 */
export function commandLine(args: string): string {
  const { dir, base } = path.parse(process.argv[1] ?? "");
  if (base !== "ballast") return `node ${here(launcher)} ${args}`;
  return path.basename(dir) === ".bin" ? `npx ballast ${args}` : `ballast ${args}`;
}

/** Gives the command that starts the emulator of the folder that an option named, if it named one. */
export const upCommandLine = (folder: string | undefined): string =>
  commandLine(`emulator up${folder ? ` --folder ${folder}` : ""}`);

/** Shortens a path relative to the current folder, unless that goes up more than two folders. */
export function here(file: string): string {
  const relative = path.relative(process.cwd(), file);
  if (relative === "") return ".";
  return relative.startsWith("../../..") ? file : relative;
}

const dimTitles = (text: string, _row: number, column: number): string => (column === 0 ? styled("dim", text) : text);

/** Describes how to connect programs to a running emulator. */
export function guide({
  folder,
  cloud,
}: {
  readonly folder: string;
  readonly cloud: Omit<RunningEmulator, "close">;
}): string {
  const origin = `https://127.0.0.1:${cloud.port}`;
  const ca = here(cloud.caFile);
  const named = folder === path.resolve(".ballast-emulator") ? "" : ` --folder ${here(folder)}`;
  const environment = here(path.join(folder, "environment"));
  const groups = `${origin}/subscriptions/${cloud.subscription}/resourcegroups?api-version=2024-03-01`;
  const address = `https://<app>.<environment>.westeurope.${cloud.suffix}/`;
  const rows = [
    ["a shell", `. ${environment.startsWith("/") ? "" : "./"}${environment}`],
    [
      "pulumi",
      "in that shell, any program with @pulumi/azure-native; PULUMI_DEBUG_PROVIDERS points it to the emulator",
    ],
    ["SDK clients", `in that shell, endpoint ${origin}, apiVersion ${appsVersion};`],
    ["", "credential: new EnvironmentCredential({ disableInstanceDiscovery: true });"],
    ["", "scopes https://management.azure.com/.default; NODE_EXTRA_CA_CERTS trusts the emulator's certificates;"],
    ["", "BALLAST_CONNECT_TO resolves the emulator's host names"],
    ["curl", `${commandLine(`emulator token --header${named}`)} | curl -s --cacert ${ca} -H @- '${groups}'`],
    ["an app", `curl -s --cacert ${ca} --connect-to ::127.0.0.1:${cloud.port} ${address}`],
    ["next", `${commandLine(`emulator status${named}`)}, or down, reset, clock, fault, traffic`],
  ];
  return table(rows, dimTitles);
}

/** The status of a revision. */
export interface RevisionStatus {
  readonly name: string;
  readonly active: boolean;
  readonly weight: number;
  readonly state: string;
  readonly labels: readonly string[];
  readonly address: string;
  readonly labelAddresses: readonly string[];
  readonly replicas: readonly {
    readonly name: string;
    readonly pid: number | null;
    readonly ready: boolean;
    readonly restarts: number;
  }[];
}

/** The status of an emulator. */
export interface EmulatorStatus {
  readonly folder: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly port: number;
  readonly postgres: { readonly host: string; readonly port: number } | null;
  readonly clock: { readonly at: string; readonly stopped: boolean };
  readonly faults: readonly Fault[];
  /** What programs have set and the emulator accepted without effect. */
  readonly withoutEffect: readonly {
    readonly resource: string;
    readonly field: string;
    readonly why: string;
  }[];
  readonly apps: readonly {
    readonly name: string;
    readonly resourceGroup: string;
    readonly address: string;
    readonly revisions: readonly RevisionStatus[];
  }[];
}

/** A pending fault. Its effect is in further fields, which the emulator documents. */
export type Fault = { readonly method?: string; readonly path: string; readonly times: number } & {
  readonly [field: string]: unknown;
};

/** Describes a fault in one line. */
export function faultLine({ method, path: pattern, times, message: _, ...rest }: Fault): string {
  const effects = Object.entries(rest)
    .filter(([name, value]) => value && !(name === "code" && value === "FaultOnOrder"))
    .map(([name, value]) => (value === true ? name : `${name} ${String(value)}`));
  const requests = times === 1 ? "1 more request" : `${times} more requests`;
  return `${method ?? "any method"} ${pattern}, ${requests}: ${effects.join(", ") || "no effect"}`;
}

/** Describes the clock in one line. */
export const clockLine = ({ at, stopped }: EmulatorStatus["clock"]): string =>
  stopped ? `is stopped at ${at}` : `is running and shows ${at}`;

/** Describes the status of an emulator for people. */
export function statusLines(status: EmulatorStatus): string {
  const { folder, pid, startedAt, port, postgres, clock, faults, apps } = status;
  const since = `${startedAt.slice(0, 19)}Z`;
  const head = table(
    [
      ["emulator", `up on 127.0.0.1:${port} since ${since}, process ${pid}, state in ${here(folder)}`],
      ...(postgres ? [["postgres", `${postgres.host}:${postgres.port}`]] : []),
      ["clock", clockLine(clock)],
      ...(faults.length === 0
        ? [["faults", "none pending"]]
        : faults.map((fault, index) => [index === 0 ? "faults" : "", faultLine(fault)])),
      ...withoutEffectRows(status),
      ...(apps.length === 0 ? [["apps", "none yet"]] : []),
    ],
    dimTitles,
  );
  return [head, ...apps.map(appLines)].join("\n");
}

const withoutEffectMax = 10;

/** Lists what was accepted without effect, the first ten of it. */
function withoutEffectRows({ withoutEffect }: EmulatorStatus): readonly (readonly [string, string])[] {
  const lines = withoutEffect
    .slice(0, withoutEffectMax)
    .map(({ resource, field, why }) => `${resource}: ${field} (${why})`);
  const more = withoutEffect.length - lines.length;
  if (more > 0) lines.push(`and ${more} more; --json lists all`);
  return lines.map((line, index) => [index === 0 ? "no effect" : "", line]);
}

function appLines({ name, address, revisions }: EmulatorStatus["apps"][number]): string {
  const rows = revisions.map((one) => [
    `  ${one.name}`,
    `${one.weight}`,
    one.active ? one.state : "inactive",
    `${one.replicas.filter(({ ready }) => ready).length} of ${one.replicas.length}`,
    [one.address, ...one.labelAddresses].join(" "),
  ]);
  const titles = ["  REVISION", "WEIGHT", "STATE", "READY", "ADDRESSES"];
  const lines = table([titles, ...rows], (text, row) => (row === 0 ? styled("dim", text) : text));
  return `\n${styled("bold", name)}  ${address || "no ingress"}\n${lines}`;
}
