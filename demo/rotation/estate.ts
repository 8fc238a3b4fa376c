// The estate of the story, as the Pulumi CLI puts it up from the program beside this file: a vault, a credential with
// both slots seeded and slot a published, and the app that logs in with it.
import fs from "node:fs";
import path from "node:path";
import type { KeyVaultSecret, SecretClient } from "@azure/keyvault-secrets";
import { credentialCalls } from "../../client/credentials.ts";
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import type { Timings } from "../../engines/rotation/declaration.ts";
import type { Credential } from "../../engines/rotation/vocabulary.ts";
import type { Ended } from "../../toolchain/child.ts";
import { openStack, type ProgramStack } from "../stack.ts";
import type { Timeline } from "../timeline.ts";
import { app, everyMilliseconds, resourceGroup, versionsOf } from "./places.ts";
import type { Planes } from "./planes.ts";
import type { Given } from "./program/given.ts";
import { secretsOf } from "./secrets.ts";
import { audience, database, roles, rotator, type Site } from "./site.ts";

/** The estate, and how to look at it. */
export interface Estate extends Site {
  readonly credential: Credential;
  readonly vaultUrl: string;
  readonly secrets: SecretClient;
  /** The address at which users reach the app. */
  readonly origin: string;
  readonly program: Program;
  /** Gives a revision of the app; undefined if it does not exist. */
  readonly revision: (name: string) => Promise<object | undefined>;
  /** Gives what a rotation moves: the app's secrets, its latest revision and its traffic. */
  readonly standing: () => Promise<Standing>;
  /** Gives every version of one of the credential's secrets. */
  readonly versions: (secret: string) => Promise<readonly KeyVaultSecret[]>;
}

/** What a rotation moves in an app. */
export interface Standing {
  readonly secrets: readonly { readonly name: string; readonly keyVaultUrl: string }[];
  readonly latest: string;
  readonly traffic: readonly unknown[];
}

/** The program, and the Pulumi CLI that runs it. */
export interface Program extends Pick<ProgramStack, "up" | "preview" | "pulumi" | "environment"> {
  /** Sets the release of the next `up`. */
  readonly setRelease: (release: string) => void;
  /** Where a preview may save its plan. */
  readonly planFile: string;
  /** Gives the state, a saved plan, and all that the Pulumi CLI has printed. */
  readonly written: () => string;
}

/** The times of the demo. On Azure, the quiet time is 35 minutes and the grace an hour. */
const demoTimings: Timings = {
  intervalSeconds: 1,
  quietSeconds: 5,
  drainSeconds: 3,
  graceSeconds: 3,
  readersSeconds: 120,
  busySeconds: 300,
};

/** How the app's releases are judged, cut-overs included: by few requests, because the demo's times are seconds. */
const judging = {
  probePath: "/",
  strategy: {
    ...defaultStrategy,
    weights: [50],
    bakeSeconds: 1,
    warmUpSeconds: 0,
    intervalSeconds: 1,
    probeSeconds: 1,
    smokeSeconds: 60,
    maximumSeconds: 900,
  },
  thresholds: {
    ...defaultThresholds,
    falsePromotionPercentMax: 50,
    oddsTolerated: 10,
    slowdownTolerated: 10,
    failurePointsMax: 20,
    // A busy machine is slow to answer a probe, and that is no fault of the canary.
    probeFailuresMax: 20,
    stableFailurePercentMax: 40,
  },
};

/** What an estate is put up with. */
export interface EstateSetting {
  readonly planes: Planes;
  readonly stop: AbortSignal;
  readonly during: Timeline["during"];
  /** Times that differ from those of the demo. */
  readonly timings?: Partial<Timings>;
  /** How a slot is written. @default "uri" */
  readonly form?: Given["form"];
}

/** Runs the program for the first time. A control plane lives already: it makes the first versions. */
export async function putUp(site: Site, setting: EstateSetting): Promise<Estate> {
  const { planes, stop, timings, form = "uri" } = setting;
  const program = await openProgram(site, setting);
  const given = await givenOf(site, planes.endpoint, { timings: { ...demoTimings, ...timings }, form });
  program.configure({ "shop:given": given, "shop:release": "one" });
  const first = await program.up();
  if (first.code !== 0) throw new Error(`the first pulumi up failed:\n${first.output}`);
  const { url, vaultName } = (await program.outputs()) as { readonly url: string; readonly vaultName: string };
  const name = { vault: vaultName.toLowerCase(), credential: "database" };
  const declared = await credentialCalls(planes.access(stop)).show(name);
  if (declared === undefined) throw new Error(`the control plane does not know ${name.vault}/${name.credential}`);
  const vaultUrl = `https://${vaultName}.vault.${site.cloud.suffix}`;
  const secrets = secretsOf(vaultUrl, site.connection);
  const { arm, at } = site;
  return {
    ...site,
    credential: declared.declaration,
    vaultUrl,
    secrets,
    origin: url,
    program,
    revision: (revision) => arm.ask("GET", `${at.app}/revisions/${revision}`, versionsOf.app).catch(() => undefined),
    standing: async () => {
      const { configuration, latestRevisionName } = (await arm.ask("GET", at.app, versionsOf.app)).properties;
      return { secrets: configuration.secrets, latest: latestRevisionName, traffic: configuration.ingress.traffic };
    },
    versions: async (secret) => {
      const found: KeyVaultSecret[] = [];
      for await (const { version = "" } of secrets.listPropertiesOfSecretVersions(secret))
        found.push(await secrets.getSecret(secret, { version }));
      return found;
    },
  };
}

/** Makes the stack of the program, in a folder of its own, and keeps what the Pulumi CLI prints. */
async function openProgram(
  { pulumiCli, cloud, folder }: Site,
  { stop, during }: EstateSetting,
): Promise<Program & Pick<ProgramStack, "configure" | "outputs">> {
  const own = path.join(folder, "rotation");
  fs.mkdirSync(own);
  const project = { program: path.join(import.meta.dirname, "program"), stack: "local", folder: own };
  const printed: string[] = [];
  const stack = await openStack({ pulumiCli, cloud, folder }, project, stop, async (command, running) => {
    const ended: Ended = await during(command, running);
    printed.push(ended.output);
    return ended;
  });
  return {
    ...stack,
    planFile: path.join(own, "plan.json"),
    setRelease: (release) => stack.configure({ "shop:release": release }),
    written: () => [...printed, ...textsIn(path.join(folder, "state")), ...textsIn(own)].join("\n"),
  };
}

/** Gives the text of every file in a folder. */
const textsIn = (folder: string): readonly string[] =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), "utf8"));

/** Gives what the program is told. The client that signs in here is the control plane's identity, too. */
async function givenOf(site: Site, endpoint: string, chosen: Pick<Given, "timings" | "form">): Promise<Given> {
  const { at, cloud, connection, postgres } = site;
  const { token } = (await connection.credential.getToken("https://vault.azure.net/.default"))!;
  const { oid } = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString("utf8")) as { oid: string };
  return {
    place: { scope: at.group, resourceGroupName: resourceGroup, location: "westeurope" },
    app,
    image: "registry.example/storefront:1",
    controlPlane: { endpoint, audience },
    tenant: cloud.tenant,
    environmentId: at.environment,
    workspaceId: at.workspace,
    officer: oid,
    server: { host: postgres.host, port: postgres.port, tls: "disable" },
    database,
    rotator,
    roles,
    ...chosen,
    plan: judging,
    everyMilliseconds,
  };
}
