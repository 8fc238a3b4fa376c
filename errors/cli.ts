// Errors of the `ballast` command itself. What the control plane refuses carries the control plane's own ids.
import { entry } from "./catalogue.ts";

/** The command line does not parse. With --json it is printed in this form; for people, as the parser words it. */
export const usageWrong = entry<{ reason: string }>("cli-usage-wrong", {
  exitCode: 2,
  title: "Invalid command line",
  message: ({ reason }) => reason,
  fix: () => "correct the command line; `--help` after any command shows its arguments and options",
  left: () => "Nothing was changed.",
});

/** A file or a folder that the operating system refuses to make, write or read. */
export const fileRefused = entry<{ file: string; reason: string }>("cli-file-refused", {
  exitCode: 2,
  title: "File refused by the operating system",
  message: ({ file, reason }) => `${file} cannot be used: ${reason}.`,
  fix: () => "name a file or a folder that exists and that you may write, or correct its rights",
});

/** Neither an option nor the stack says where the control plane is. */
export const endpointUnknown = entry<{
  stack: string;
  reason: string;
  isRead: boolean;
  /** A file of this folder with the settings of a stack on this machine, which nobody has read in. */
  settings?: string | undefined;
}>("cli-endpoint-unknown", {
  exitCode: 2,
  title: "Control plane address unknown",
  variants: [
    { isRead: true },
    { isRead: false, reason: "PULUMI_ACCESS_TOKEN must be set for login" },
    { isRead: false, reason: "no Pulumi.yaml project file found" },
    { isRead: false, reason: "no stack named" },
    { isRead: false, settings: ".ballast/environment" },
    { isRead: false },
  ],
  message: ({ stack, reason, isRead }) =>
    isRead
      ? `There is no output controlPlaneEndpoint in ${stack}: ${reason}.`
      : `The outputs of ${stack} cannot be read: ${reason}.`,
  fix: ({ isRead, reason, settings }) =>
    `${settings ? `for the stack on this machine run \`source ${settings}\`, else ` : ""}` +
    `${isRead ? "run the command in the program's folder with --stack <name>" : remedyFor(reason)}, ` +
    "or pass --endpoint https://<host> with --audience <uri>",
});

/** The address and the audience do not belong together, so no token was sent. */
export const endpointUnbound = entry<{
  endpoint: string;
  audience?: string;
  why: "mixed" | "no audience" | "no binding" | "changed";
}>("cli-endpoint-unbound", {
  exitCode: 2,
  title: "The control plane's address and the token's audience do not belong together",
  variants: [{ why: "mixed" }, { why: "no audience" }, { why: "no binding" }, { why: "changed" }],
  message: ({ endpoint, audience, why }) =>
    ({
      mixed: `One of the address ${endpoint} and the audience ${audience} is an option and the other a variable.`,
      "no audience": `The address ${endpoint} was given without the audience of its tokens.`,
      "no binding": `The stack names ${endpoint}, but has no outputs controlPlaneAudience and controlPlaneBinding.`,
      changed: `The stack's outputs do not bind the audience ${audience} to the address ${endpoint}.`,
    })[why],
  fix: ({ why }) =>
    ({
      mixed: "give both --endpoint and --audience, or both BALLAST_ENDPOINT and BALLAST_AUDIENCE",
      "no audience":
        "give its audience too, with --audience or BALLAST_AUDIENCE, or leave both out to read them from the stack",
      "no binding":
        "export `audience` and `binding` of the ControlPlane beside its endpoint and run `pulumi up`, or give both " +
        "--endpoint and --audience",
      changed:
        "leave --audience and BALLAST_AUDIENCE out; if neither was given, find out who changed the state, then run " +
        "`pulumi up`",
    })[why],
  left: () => "No token was sent.",
});

/** Gives the remedy for what the Pulumi CLI says when it cannot read a stack. */
export function remedyFor(reason: string): string {
  if (/PULUMI_ACCESS_TOKEN|logged in|credentials/i.test(reason))
    return "run `pulumi login` for the backend that has the stack";
  if (/no Pulumi\.yaml/i.test(reason)) return "run the command in the program's folder";
  if (/passphrase/i.test(reason)) return "set PULUMI_CONFIG_PASSPHRASE to the stack's passphrase";
  if (/no stack|qualified name/i.test(reason))
    return "name a stack that `pulumi stack ls` shows with --stack <name>, after `pulumi login` for its backend";
  return "run `pulumi login` for the stack's backend, and the command in the program's folder";
}

/** A name that does not have the form of a rollout's. */
export const rolloutNameUnclear = entry<{ name: string; meant?: string }>("cli-rollout-name-unclear", {
  exitCode: 2,
  title: "Invalid rollout name",
  variants: [{}, { meant: "web/web--0000002" }],
  message: ({ name, meant }) =>
    `"${name}" is ${meant === undefined ? "not a rollout name" : "the name of a revision, and not of an app"}.`,
  fix: ({ meant = "<app> for the app's newest rollout, <app>/<revision>, or <resource group>/<app>/<revision>" }) =>
    `write ${meant}; \`ballast release list\` shows them`,
});

/** A valid name, but the control plane has no such rollout. */
export const rolloutUnknown = entry<{ name: string }>("cli-rollout-unknown", {
  title: "No such rollout",
  message: ({ name }) => `The control plane has no rollout of ${name}.`,
  fix: () => "run `ballast release list` to see the rollouts it has",
});

/** Two resource groups have an app of that name. */
export const rolloutAmbiguous = entry<{ name: string; groups: readonly string[] }>("cli-rollout-ambiguous", {
  exitCode: 2,
  title: "Rollout name matches several resource groups",
  message: ({ name, groups }) => `${name} exists in the resource groups ${groups.join(" and ")}.`,
  fix: () => "use the full name: <resource group>/<app>/<revision>",
});

/** No stream has that name or that end of a name. */
export const streamNameUnknown = entry<{ kind: string; name: string; list: string }>("cli-stream-name-unknown", {
  title: "No stream of that name",
  message: ({ kind, name }) => `The control plane has no ${kind} ${name}.`,
  fix: ({ list }) => `run \`${list}\` to see what it has`,
});

/** A command without a name found nothing that it could take. */
export const streamNone = entry<{ plural: string; list: string }>("cli-stream-none", {
  title: "There is no stream yet",
  message: ({ plural }) => `The control plane has no ${plural} yet, so there is none to show.`,
  fix: ({ list }) => `release something first; \`${list}\` then shows it`,
});

/** Several streams have that end of a name. */
export const streamNameAmbiguous = entry<{ name: string; ids: readonly string[]; form: string }>(
  "cli-stream-name-ambiguous",
  {
    title: "Name matches several streams",
    message: ({ name, ids }) => `${name} is the end of ${ids.join(" and ")}.`,
    fix: ({ form }) => `use the full name: ${form}`,
  },
);

/** The engine of this version decides differently from what the journal records. */
export const replayDiffers = entry<{ id: string; at: string }>("cli-replay-differs", {
  title: "Replay does not match the journal",
  message: ({ id, at }) => `Replaying ${id} gives decisions that differ from its journal: ${at}.`,
  fix: () =>
    "compare the version of this command with that of the control plane that wrote the journal; " +
    "if they are equal, report this as a bug",
  left: () => "Nothing was changed: a replay only reads.",
});

/** A file with a strategy, thresholds or a journal that cannot be read. */
export const planUnreadable = entry<{ file: string; reason: string }>("cli-plan-unreadable", {
  exitCode: 2,
  title: "Strategy, thresholds or journal file unreadable",
  message: ({ file, reason }) => `${file} cannot be read: ${reason}.`,
  fix: () => "name an existing file in YAML or JSON; a journal has one fact as JSON on each line",
});

/** A strategy or thresholds that no rollout can use. */
export const planMalformed = entry<{ file: string; complaints: readonly string[] }>("cli-plan-malformed", {
  exitCode: 2,
  title: "Invalid strategy or thresholds",
  message: ({ file, complaints }) => `Invalid release plan in ${file}: ${complaints.join(" ")}`,
  fix: () => "correct the fields named; omitted fields take their defaults",
});

/** A file of `ballast alert` that has no alerts, or a declaration that no control plane would take. */
export const alertFileMalformed = entry<{ file: string; complaints: readonly string[] }>("cli-alert-file-malformed", {
  exitCode: 2,
  title: "Invalid alerts or remediations",
  message: ({ file, complaints }) => `${file} is not what it must be: ${complaints.join(" ")}`,
  fix: () =>
    "save the answer of the alerts API for --alerts, and what `remediations` of ControlPlane has for --remediations",
});

/** Neither options nor a journal give the service's traffic. */
export const trafficUnknown = entry("cli-traffic-unknown", {
  exitCode: 2,
  title: "Traffic of the service unknown",
  message: () =>
    "What a plan can detect depends on the service's requests per minute and on its baseline failure rate. " +
    "At least one of them is missing.",
  fix: () =>
    "pass --requests-per-minute and --failure-percent, or --from-history <rollout> to read them from its journal",
});

/** A journal in which no request was counted. */
export const journalUnmeasured = entry<{ name: string }>("cli-journal-unmeasured", {
  exitCode: 2,
  title: "Journal without measured requests",
  message: ({ name }) =>
    `The journal of the rollout ${name} holds no measured requests, so the service's traffic cannot be read from it.`,
  fix: () => "pass an earlier rollout to --from-history as <app>/<revision>; `ballast release list` shows them",
});

/** The stack's file is missing, or holds no configuration. */
export const stackUnreadable = entry<{ file: string; reason: string }>("cli-stack-unreadable", {
  exitCode: 2,
  title: "Stack file unusable",
  message: ({ file, reason }) => `${file} cannot be used: ${reason}.`,
  fix: () => "run the command in the program's folder, and name stacks that have a Pulumi.<stack>.yaml there",
  left: () => "Nothing was changed.",
});

/** The image to promote is named by a tag, which can be another image tomorrow. */
export const promoteMutable = entry<{ key: string; file: string; image: string }>("cli-promote-mutable", {
  exitCode: 2,
  title: "Image to promote has no digest",
  message: ({ key, file, image }) =>
    `${key} in ${file} is ${image}. Only a digest is certain to be the same image in every environment.`,
  fix: ({ file, key }) => `set ${key} in ${file} to the image's digest first; \`ballast image build\` prints it`,
  left: () => "Nothing was changed.",
});

/** The package holds JavaScript only; an image is built from the repository's sources. */
export const imageSourcesMissing = entry("cli-image-sources-missing", {
  exitCode: 2,
  title: "No sources to build an image from",
  message: () => "An image is built from the repository's sources, which the installed package does not contain.",
  fix: () => "run the command in a clone of the repository",
  left: () => "Nothing was built or sent.",
});

/** The Azure CLI is missing, which sends the files to the registry. */
export const imageAzMissing = entry("cli-image-az-missing", {
  title: "Azure CLI not found, needed to build an image",
  message: () => "The command az is not on this machine. It sends the files to the registry, which builds the image.",
  fix: () => "install the Azure CLI and run `az login`, or run the workflow .github/workflows/images.yml",
  left: () => "Nothing was built.",
});

/** The registry refused, or could not be reached. The message ends with the Azure CLI's last output. */
export const imageBuildFailed = entry<{ step: string; output: string }>("cli-image-build-failed", {
  title: "Image build failed",
  message: ({ step, output }) => `The Azure CLI failed while ${step}:\n${output}`,
  fix: () =>
    "follow the message of the Azure CLI; a build needs `az login` and the right to run tasks in the registry " +
    "(role Container Registry Tasks Contributor)",
  left: () => "All stacks run what they ran before.",
});

/** The command needs a running emulator, and none runs on that folder. */
export const emulatorNotUp = entry<{ folder: string; start: string }>("cli-emulator-not-up", {
  exitCode: 3,
  title: "Emulator not running",
  message: ({ folder }) => `No emulator is running on ${folder}.`,
  fix: ({ start }) => `start it with \`${start}\`, or name another emulator's folder with --folder`,
});

/** One folder belongs to one emulator, and one process. */
export const emulatorUpAlready = entry<{ folder: string; pid: number }>("cli-emulator-up-already", {
  title: "Emulator already running",
  message: ({ folder, pid }) => `Process ${pid} is already running the emulator of ${folder}.`,
  fix: () =>
    "use that one, stop it with `ballast emulator down`, or start another in a folder of its own with --folder",
  left: () => "Nothing was changed: it keeps running, with the options that it was started with.",
});

/** Another process listens on the port that the emulator needs. */
export const emulatorPortTaken = entry<{ port: number; kept: boolean }>("cli-emulator-port-taken", {
  title: "Emulator port in use",
  variants: [{ kept: false }, { kept: true }],
  message: ({ port, kept }) =>
    `Another process listens on 127.0.0.1:${port}${kept ? ", the port that this emulator's clients use" : ""}.`,
  fix: ({ kept }) =>
    kept
      ? "stop that process (`ss -ltnp` shows it), or delete this emulator with `ballast emulator reset --yes`"
      : "choose another port with --port, or omit --port to use any free one",
  left: () => "Nothing was started. The emulator's saved state is unchanged.",
});

/** An emulator that was started before keeps its port. */
export const emulatorPortKept = entry<{ asked: number; port: number; folder: string }>("cli-emulator-port-kept", {
  exitCode: 2,
  title: "Emulator already has another port",
  message: ({ asked, port, folder }) =>
    `The emulator in ${folder} uses port ${port}, which its clients know. It cannot move to ${asked}.`,
  fix: () => "omit --port, or create another emulator with --folder",
  left: () => "Nothing was started. The emulator's saved state is unchanged.",
});

/** The state in the folder is damaged, or was written by another version. */
export const emulatorStateUnreadable = entry<{ reason: string }>("cli-emulator-state-unreadable", {
  title: "Saved state of the emulator unreadable",
  message: ({ reason }) => `The emulator's saved state cannot be read: ${reason}.`,
  fix: () => "start it with the version of Ballast that wrote it, or delete it with `ballast emulator reset --yes`",
  left: () => "Nothing was started. The folder is unchanged.",
});

/** The process ended before it was ready. The message ends with the last lines of its log. */
export const emulatorStartFailed = entry<{ output: string; log: string }>("cli-emulator-start-failed", {
  title: "Emulator failed to start",
  variants: [{}, { output: "" }],
  message: ({ output, log }) =>
    `The emulator stopped before it was ready. The end of its log (${log}):\n${output || "(empty)"}`,
  fix: () => "follow the message in the log; if it does not help, report it as a bug with the log",
  left: () => "Nothing is running. The emulator's saved state is unchanged.",
});

/** The value of --image has another form, or its program does not exist. */
export const emulatorImageUnclear = entry<{ image: string; reason: string }>("cli-emulator-image-unclear", {
  exitCode: 2,
  title: "Invalid --image",
  message: ({ image, reason }) => `"${image}" does not map an image to a program: ${reason}.`,
  fix: () => "write --image <name>=<folder>:<entry file in it>, such as --image shop=./services/shop:main.js",
  left: () => "Nothing was started.",
});

/** A reset cannot be undone, so it needs a confirmation. */
export const emulatorResetUnasked = entry<{ folder: string }>("cli-emulator-reset-unasked", {
  exitCode: 2,
  title: "Reset not confirmed",
  message: ({ folder }) => `This would delete everything in the emulator of ${folder}: apps, revisions, keys and rows.`,
  fix: () => "confirm with --yes",
  left: () => "Nothing was changed.",
});

/** The folder holds files that are not an emulator's. */
export const emulatorFolderForeign = entry<{ folder: string }>("cli-emulator-folder-foreign", {
  exitCode: 2,
  title: "Folder holds other files",
  message: ({ folder }) => `${folder} holds files that do not belong to an emulator.`,
  fix: () => "name an empty or a new folder with --folder",
  left: () => "Nothing was changed.",
});

/** The emulator has no app of that name with an ingress. */
export const emulatorAppUnknown = entry<{ app: string; known: readonly string[] }>("cli-emulator-app-unknown", {
  title: "No such app in the emulator",
  variants: [{}, { known: [] }],
  message: ({ app, known }) =>
    `The emulator has no app ${app} with an ingress. Apps with one: ${known.length ? known.join(", ") : "none"}.`,
  fix: () => "name one of those, or deploy the app first",
});

/** A time or a duration has another form than the command reads. */
export const emulatorTimeUnclear = entry<{ text: string; wanted: string }>("cli-emulator-time-unclear", {
  exitCode: 2,
  title: "Invalid time or duration",
  message: ({ text, wanted }) => `"${text}" is not ${wanted}.`,
  fix: () => "write a time as 2030-01-31T12:00:00Z, and a duration as 90s, 15m, 2h or 30d",
});

/** The emulator answered with an error, whose message is given. */
export const emulatorRefused = entry<{ reason: string }>("cli-emulator-refused", {
  title: "Refused by the emulator",
  message: ({ reason }) => `The emulator refused the request: ${reason}`,
  fix: () => "correct what the message names; `--help` of the command lists the valid values",
});

/** The Azure CLI is missing, through which the application in Entra is written. */
export const signInAzMissing = entry("cli-sign-in-az-missing", {
  title: "Azure CLI not found, needed to write to Entra",
  message: () =>
    "The command az is not on this machine. It writes the application and its role assignments to Microsoft Entra.",
  fix: () =>
    "install the Azure CLI and run `az login`, or create the application with the Pulumi program in examples/sign-in",
  left: () => "Nothing was written.",
});

/** Entra refused, or could not be reached. The message ends with the Azure CLI's last output. */
export const signInFailed = entry<{ step: string; output: string }>("cli-sign-in-failed", {
  title: "Application or role assignment not written",
  message: ({ step, output }) => `The Azure CLI failed while ${step}:\n${output}`,
  fix: () =>
    "follow the message of the Azure CLI, then run the same command again; creating an application needs the role " +
    "Application Developer, granting its roles needs an owner of it or a Cloud Application Administrator",
  left: () => "What was written before that step stays. The same command finds it again.",
});

/** The tenant has no application of that name to grant roles of. */
export const signInUnknown = entry<{ name: string; audience: string }>("cli-sign-in-unknown", {
  title: "No such application in the tenant",
  message: ({ name, audience }) =>
    `The tenant of \`az login\` has no application ${name} (audience ${audience}), so there are no roles to grant.`,
  fix: ({ name }) => `run \`ballast sign-in create ${name}\`, or sign in to the tenant that has it`,
  left: () => "Nothing was written.",
});
