// What `ballast local` says: how to point programs at the stand-in, and how it stands. Words and tables only; every line of the guide works
// when it is pasted, which a test sees to.
import path from "node:path";
import type { LocalCloud } from "../../emulator/start.ts";
import { styled, table } from "../terminal.ts";

/** The version of Container Apps that the guide names; a client's own default moves with its releases. */
export const appsVersion = "2025-07-01";

const launcher = path.join(import.meta.dirname, "..", "ballast.mjs");

/** Gives a `ballast` command as this shell would start it: what a program has installed is on nobody's PATH. */
export const commandLine = (words: string): string => {
  const { dir, base } = path.parse(process.argv[1] ?? "");
  return base !== "ballast"
    ? `node ${here(launcher)} ${words}`
    : path.basename(dir) === ".bin"
      ? `npx ballast ${words}`
      : `ballast ${words}`;
};

/** Gives a path as short as it can be said from here. */
export const here = (file: string): string => {
  const relative = path.relative(process.cwd(), file);
  return relative === "" ? "." : relative.startsWith("../../..") ? file : relative;
};

/** Tells how programs are pointed at a cloud that is up. */
export function guide({
  folder,
  cloud,
}: {
  readonly folder: string;
  readonly cloud: Omit<LocalCloud, "close">;
}): string {
  const origin = `https://127.0.0.1:${cloud.port}`;
  const ca = here(cloud.caFile);
  const named = folder === path.resolve(".ballast-local") ? "" : ` --folder ${here(folder)}`;
  const environment = here(path.join(folder, "environment"));
  const rows = [
    ["a shell", `. ${environment.startsWith("/") ? "" : "./"}${environment}`],
    ["pulumi", "in that shell, any program of @pulumi/azure-native: PULUMI_DEBUG_PROVIDERS has the stand-in serve it"],
    [
      "SDK clients",
      `in that shell, endpoint ${origin}, apiVersion ${appsVersion}; credential: new EnvironmentCredential({ disableInstanceDiscovery: true })`,
    ],
    [
      "",
      "scopes https://management.azure.com/.default; NODE_EXTRA_CA_CERTS names its authority; names as on Azure work by BALLAST_CONNECT_TO",
    ],
    [
      "curl",
      `${commandLine(`local token --header${named}`)} | curl -s --cacert ${ca} -H @- '${origin}/subscriptions/${cloud.subscription}/resourcegroups?api-version=2024-03-01'`,
    ],
    [
      "an app",
      `curl -s --cacert ${ca} --connect-to ::127.0.0.1:${cloud.port} https://<app>.<environment>.westeurope.${cloud.suffix}/`,
    ],
    ["then", `${commandLine(`local status${named}`)}, or down, reset, clock, fault, traffic`],
  ];
  return table(rows, (text, _row, column) => (column === 0 ? styled("dim", text) : text));
}

/** One revision, as `status` tells it. */
export interface RevisionStanding {
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

/** How a cloud stands. */
export interface CloudStanding {
  readonly folder: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly port: number;
  readonly postgres: { readonly host: string; readonly port: number } | null;
  readonly clock: { readonly at: string; readonly held: boolean };
  readonly faults: readonly Fault[];
  readonly apps: readonly {
    readonly name: string;
    readonly resourceGroup: string;
    readonly address: string;
    readonly revisions: readonly RevisionStanding[];
  }[];
}

/** A fault on order; what it does is in the fields that the stand-in documents. */
export type Fault = { readonly method?: string; readonly path: string; readonly times: number } & {
  readonly [field: string]: unknown;
};

/** Says a fault in one line. */
export function faultLine({ method, path: pattern, times, message: _, ...rest }: Fault): string {
  const what = Object.entries(rest).filter(
    ([name, value]) => value !== false && value !== 0 && value !== "" && !(name === "code" && value === "FaultOnOrder"),
  );
  return `${method ?? "any method"} ${pattern}, ${times} more ${times === 1 ? "time" : "times"}: ${what.map(([name, value]) => (value === true ? name : `${name} ${String(value)}`)).join(", ") || "nothing"}`;
}

/** Says the clock in one line. */
export const clockLine = ({ at, held }: CloudStanding["clock"]): string =>
  `${held ? "stands at" : "runs, it is"} ${at}`;

/** Tells how a cloud stands, for people. */
export function standingLines({ folder, pid, startedAt, port, postgres, clock, faults, apps }: CloudStanding): string {
  const head = table(
    [
      ["stand-in", `up on 127.0.0.1:${port} since ${startedAt.slice(0, 19)}Z, process ${pid}, kept in ${here(folder)}`],
      ...(postgres ? [["postgres", `${postgres.host}:${postgres.port}`]] : []),
      ["clock", clockLine(clock)],
      ...(faults.length === 0
        ? [["faults", "none on order"]]
        : faults.map((fault, index) => [index === 0 ? "faults" : "", faultLine(fault)])),
      ...(apps.length === 0 ? [["apps", "none yet"]] : []),
    ],
    (text, _row, column) => (column === 0 ? styled("dim", text) : text),
  );
  return [
    head,
    ...apps.map(({ name, address, revisions }) => {
      const rows = revisions.map((one) => [
        `  ${one.name}`,
        `${one.weight}`,
        one.active ? one.state : "inactive",
        `${one.replicas.filter(({ ready }) => ready).length} of ${one.replicas.length}`,
        [one.address, ...one.labelAddresses].join(" "),
      ]);
      return `\n${styled("bold", name)}  ${address || "no ingress"}\n${table([["  REVISION", "WEIGHT", "STATE", "READY", "ADDRESSES"], ...rows], (text, row) => (row === 0 ? styled("dim", text) : text))}`;
    }),
  ].join("\n");
}
