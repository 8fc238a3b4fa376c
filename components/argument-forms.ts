// The form of each component's arguments. A component's own type says what an argument means and documents it; its form
// says which values are valid, for programs that no compiler has checked. The compiler compares the two: an argument
// without a form, or a form without an argument, is an error where the component reads its arguments.
import { patience, quietSecondsOf, replicaCounts } from "../defaults.ts";
import {
  type Form,
  flag,
  list,
  number,
  type Objection,
  object,
  oneOf,
  optional,
  partial,
  read,
  text,
} from "../engines/form.ts";
import { parsedJson } from "../engines/parsed-json.ts";
import { objectionsToUnmanaged, remediationsForm } from "../engines/remediation/declaration.ts";
import {
  askedFields,
  credentialSlotsForm,
  gateForm,
  outsideWeightsForm,
  secretName,
  strategyForm,
  thresholdsForm,
  whenInFlightForm,
} from "../engines/rollout/intent.ts";
import { probeRequestForm } from "../engines/rollout/probe-request.ts";
import { completedCredential, objectionsToCredentials } from "../engines/rotation/declaration.ts";
import type { AppTarget } from "../engines/targets.ts";
import { alertForms } from "./alerts/forms.ts";
import { anObject, input, inputs, named, native, parts, plain, typed, unrepeated } from "./arguments.ts";
import { keptSettings, lostSettings } from "./canary-app/losses.ts";
import {
  credentialReference,
  databaseCredential,
  secretVault,
  storageCredential,
  webhookCredential,
} from "./credentials/forms.ts";
import { databaseAccess, databaseMigration, databaseRole, journalDatabase } from "./platform/database-forms.ts";
import {
  address,
  appName,
  groupName,
  host,
  image,
  imageName,
  place,
  port,
  pull,
  quotedSecret,
  seconds,
  secret,
  variableName,
  word,
} from "./shared-forms.ts";
import { deliveryWorkflows, repositoryGuard } from "./workflows/forms.ts";

/** JSON that the control plane would accept: it is read here by the same form, so that a preview refuses it. */
function declaration(form: Form<unknown>, what: string): Form<string> {
  const json = text(what);
  return {
    ...json,
    read: (given, reading) => {
      const value = json.read(given, reading);
      if (typeof given !== "string") return value;
      const parsed = read(form, parsedJson(given));
      const complaints = "complaints" in parsed ? parsed.complaints : [];
      reading.problems.push(...complaints.map((message) => ({ kind: "contradiction" as const, at: [], message })));
      return value;
    },
  };
}

/** Gives what is declared; undefined if nothing is, or if it is refused. */
function declaredIn<Declared>(form: Form<Declared>, json: string | undefined): Declared | undefined {
  const parsed = json === undefined ? undefined : read(form, parsedJson(json));
  return parsed && "value" in parsed ? parsed.value : undefined;
}

/** Reports whether a ladder of what is declared opens issues. */
const opensIssues = (remediations: string | undefined): boolean =>
  (declaredIn(remediationsForm, remediations)?.policies ?? []).some(({ ladder }) =>
    ladder.some(({ runbook }) => runbook === "open-issue"),
  );

const credentialsForm = list(completedCredential);

const replicas = (least: number) => plain(number({ least, most: 1_000, whole: true }));

/** The output `sender` of `Telemetry` has more than the control plane needs. */
const sender = parts(object({ connectionString: secret, identity: optional(plain(word)), insightsId: input(word) }));

const canaryApp = object({
  // azure-native's own. A word of it that is misspelt at the top would be ignored, so all names are listed.
  configuration: native(unrepeated(anObject)),
  containerAppName: input(appName),
  environmentId: native(word),
  extendedLocation: native(anObject),
  identity: native(anObject),
  kind: native(word),
  location: native(word),
  managedBy: native(word),
  managedEnvironmentId: native(word),
  patchingConfiguration: native(anObject),
  resourceGroupName: input(groupName),
  tags: native(anObject),
  template: native(anObject),
  workloadProfileName: native(word),
  // Ballast's.
  controlPlane: parts(object({ endpoint: input(address), audience: plain(word) })),
  probePath: optional(plain(askedFields.probePath)),
  probe: optional(plain(probeRequestForm)),
  // Whether their numbers are within limits is the plan's to say: it is checked with its defaults.
  strategy: optional(plain(typed(partial(strategyForm)))),
  thresholds: optional(plain(typed(partial(thresholdsForm)))),
  dryRunThresholds: optional(plain(typed(partial(thresholdsForm)))),
  expectedRequestsPerMinute: optional(plain(number({ least: 0 }))),
  wait: optional(plain(flag())),
  whenInFlight: optional(plain(whenInFlightForm)),
  outsideWeights: optional(plain(outsideWeightsForm)),
  gate: optional(plain(typed(gateForm))),
  keepLive: optional(plain(list(oneOf(keptSettings)))),
  acceptLoss: optional(plain(list(oneOf(lostSettings)))),
  credentials: optional(parts(named(parts(credentialReference), variableName))),
  credentialSlots: optional(plain(credentialSlotsForm)),
});

const httpAppFields = {
  containerAppName: input(appName),
  resourceGroupName: input(groupName),
  location: optional(input(word)),
  environmentId: input(word),
  image: input(imageName),
  variables: optional(named(input(text("a text", { least: 0 })), variableName)),
  secrets: optional(named(secret, secretName)),
  secretVariables: optional(named(plain(word), variableName)),
  registries: optional(parts(list(parts(object({ server: input(host), identity: input(word) }))))),
  telemetry: optional(
    parts(object({ connectionString: input(word), identity: input(word), insightsId: optional(input(word)) })),
  ),
  external: optional(plain(flag())),
  transport: optional(plain(oneOf(["http", "http2", "auto"]))),
  targetPort: optional(port),
  healthPath: optional(plain(askedFields.probePath)),
  startupSeconds: optional(plain(number({ least: 1, most: 3_600, whole: true }))),
  cpu: optional(plain(number())),
  minReplicas: optional(replicas(0)),
  maxReplicas: optional(replicas(0)),
};

/** What is said of variables is not in the types: a compiler accepts the name of a secret that does not exist. */
const httpApp = object(httpAppFields, {
  check: ({ variables = {}, secrets = {}, secretVariables = {} }): readonly Objection[] => [
    ...Object.entries(secretVariables).flatMap(([variable, name]) => {
      if (Object.hasOwn(secrets, name)) return [];
      const known = Object.keys(secrets);
      const has = known.length === 0 ? "secrets has none" : `secrets has ${known.join(", ")}`;
      return [`secretVariables.${variable} names ${quotedSecret(name)}, which does not exist: ${has}.`];
    }),
    ...Object.keys(secretVariables)
      .filter((variable) => Object.hasOwn(variables, variable))
      .map((variable) => `The variable ${variable} is in both variables and secretVariables.`),
  ],
});

const controlPlane = object(
  {
    ...place,
    subscription: optional(plain(word)),
    tenant: plain(word),
    image,
    pull,
    environment: inputs({ id: input(word), domain: input(host) }),
    workspace: inputs({ id: input(word), customerId: input(word) }),
    database: databaseAccess,
    managedTargets: plain(list(object({ resourceGroup: groupName, app: word }))),
    audience: plain(word),
    endpoints: optional(
      plain(
        object({
          resourceManager: optional(address),
          logs: optional(address),
          login: optional(address),
          vaults: optional(host),
          storage: optional(host),
        }),
      ),
    ),
    leaseSeconds: optional(seconds),
    requestSeconds: optional(seconds),
    ingestionSeconds: optional(plain(number({ least: 0 }))),
    telemetry: optional(sender),
    notify: optional(secret),
    rotatorPassword: optional(secret),
    credentialWebhookSecret: optional(secret),
    rotationsAtOnce: optional(plain(number({ least: 1, most: 100, whole: true }))),
    credentials: optional(plain(declaration(credentialsForm, "the credentials that are rotated, as JSON"))),
    issues: optional(
      inputs({
        vaultId: input(word),
        // A program may give the token itself.
        tokenUrl: input(
          unrepeated(
            text("the URL of a secret without a version, such as https://shop.vault.azure.net/secrets/github-issues", {
              pattern: "^https://[^/]+/secrets/[0-9A-Za-z-]+/?$",
            }),
          ),
        ),
        api: optional(
          text("the https address of GitHub's API, such as https://github.example/api/v3", {
            pattern: "^(https://|http://127\\.0\\.0\\.1[:/])[^\\s@?#]+$",
          }),
        ),
      }),
    ),
    remediations: optional(plain(declaration(remediationsForm, "what is declared about remediations, as JSON"))),
    callers: optional(
      plain(
        list(
          text("an IPv4 range in CIDR notation, such as 10.40.0.0/22", {
            pattern: "^(\\d{1,3}\\.){3}\\d{1,3}(/\\d{1,2})?$",
          }),
        ),
      ),
    ),
    minReplicas: optional(replicas(1)),
    maxReplicas: optional(replicas(1)),
  },
  {
    check: ({
      leaseSeconds = patience.leaseSeconds,
      requestSeconds = patience.requestSeconds,
      minReplicas = replicaCounts.controlPlaneMin,
      maxReplicas = Math.max(replicaCounts.controlPlaneMax, minReplicas),
      credentials,
      credentialWebhookSecret,
      managedTargets,
      remediations,
      issues,
    }): readonly Objection[] => [
      ...(issues === undefined && opensIssues(remediations)
        ? ["The policies use open-issue, so issues must name the token with which it writes."]
        : []),
      ...objectionsToUnmanaged(declaredIn(remediationsForm, remediations) ?? { policies: [] }, managedTargets),
      ...objectionsToDeclared(credentials, managedTargets, credentialWebhookSecret !== undefined),
      ...(requestSeconds < leaseSeconds
        ? []
        : [`requestSeconds (${requestSeconds}) must be less than leaseSeconds (${leaseSeconds}).`]),
      ...(minReplicas <= maxReplicas
        ? []
        : [`maxReplicas (${maxReplicas}) must be at least minReplicas (${minReplicas}).`]),
    ],
  },
);

/** Says what a credential cannot know of itself. What is wrong with its own fields is said by its form. */
function objectionsToDeclared(
  credentials: string | undefined,
  managed: readonly AppTarget[],
  signs: boolean,
): readonly string[] {
  const declared = declaredIn(credentialsForm, credentials) ?? [];
  const unsigned = declared.filter(({ webhook }) => webhook !== undefined && !signs);
  return [
    ...objectionsToCredentials(declared, managed),
    ...unsigned.map(({ credential }) => `credentialWebhookSecret must sign the calls to the webhook of ${credential}.`),
  ];
}

const containerEnvironment = object({
  ...place,
  retentionInDays: optional(plain(number({ least: 30, most: 730, whole: true }))),
  subnet: optional(input(word)),
  internal: optional(plain(flag())),
  zoneRedundant: optional(plain(flag())),
});

const wholeSeconds = plain(number({ above: 0, whole: true }));

const deadMansSwitch = object(
  {
    ...place,
    subscription: optional(plain(word)),
    image,
    pull,
    environmentId: input(word),
    controlPlaneEndpoint: input(address),
    managedTargets: parts(list(parts(object({ resourceGroup: plain(groupName), app: plain(word), id: input(word) })))),
    resourceManager: optional(plain(address)),
    silenceSeconds: optional(wholeSeconds),
    leaseSeconds: optional(seconds),
    requestSeconds: optional(seconds),
  },
  {
    check: ({
      silenceSeconds = patience.silenceSeconds,
      leaseSeconds = patience.leaseSeconds,
      requestSeconds = patience.requestSeconds,
    }): readonly Objection[] => {
      const quietSeconds = quietSecondsOf({ leaseSeconds, requestSeconds });
      return silenceSeconds > quietSeconds
        ? []
        : [
            `silenceSeconds (${silenceSeconds}) must be more than ${quietSeconds}: so long may a healthy control ` +
              `plane with leaseSeconds ${leaseSeconds} and requestSeconds ${requestSeconds} need to recover the ` +
              "rollouts of a replica that died.",
          ];
    },
  },
);

const imageRegistry = object({
  ...place,
  subscription: optional(plain(word)),
  registry: plain(word),
});

const network = object({ ...place, range: plain(word) });

const telemetry = object({
  ...place,
  workspaceId: input(word),
  emails: optional(plain(list(text("an e-mail address", { pattern: "^[^@\\s]+@[^@\\s]+$" })))),
  owner: optional(plain(word)),
  apps: plain(list(word, { least: 1, what: "a list of at least one app's name" })),
  leaseSeconds: optional(seconds),
  switchJob: optional(plain(word)),
});

/** The forms by the name of the component. */
export const argumentForms = {
  ...alertForms,
  CanaryApp: canaryApp,
  ContainerEnvironment: containerEnvironment,
  ControlPlane: controlPlane,
  DatabaseCredential: databaseCredential,
  DatabaseMigration: databaseMigration,
  DatabaseRole: databaseRole,
  DeadMansSwitch: deadMansSwitch,
  DeliveryWorkflows: deliveryWorkflows,
  ImageRegistry: imageRegistry,
  JournalDatabase: journalDatabase,
  Network: network,
  SecretVault: secretVault,
  RepositoryGuard: repositoryGuard,
  StorageCredential: storageCredential,
  Telemetry: telemetry,
  WebhookCredential: webhookCredential,
  httpApp,
} as const;
