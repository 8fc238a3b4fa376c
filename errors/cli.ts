// What the `ballast` command itself has to say; what the control plane refuses comes with the control plane's own ids.
import { entry } from "./catalogue.ts";

/** Neither an option nor the stack says where the control plane is. */
export const endpointUnknown = entry<{ stack: string; reason: string }>("cli-endpoint-unknown", {
  title: "The control plane's address is not known",
  message: ({ stack, reason }) => `${stack} gives no output controlPlaneEndpoint: ${reason}.`,
  fix: () =>
    "run the command in the program's folder with --stack <name>, or give the address with --endpoint https://<host>",
});

/** A name that is not a rollout's. */
export const rolloutNameUnclear = entry<{ name: string }>("cli-rollout-name-unclear", {
  title: "A rollout is named in a way that is not understood",
  message: ({ name }) => `"${name}" does not name a rollout.`,
  fix: () =>
    "name it <app> for the app's newest, <app>/<revision>, or <resource group>/<app>/<revision>; `ballast release list` shows them",
});

/** A good name, but nobody has it. */
export const rolloutUnknown = entry<{ name: string }>("cli-rollout-unknown", {
  title: "There is no such rollout",
  message: ({ name }) => `The control plane knows no rollout of ${name}.`,
  fix: () => "`ballast release list` shows those it knows",
});

/** Two resource groups have an app of that name. */
export const rolloutAmbiguous = entry<{ name: string; groups: readonly string[] }>("cli-rollout-ambiguous", {
  title: "A rollout's name fits apps of several resource groups",
  message: ({ name, groups }) => `${name} is in the resource groups ${groups.join(" and ")}.`,
  fix: () => "name the rollout in full: <resource group>/<app>/<revision>",
});

/** Today's engine, asked again, decides otherwise than the journal says. */
export const replayDiffers = entry<{ id: string; at: string }>("cli-replay-differs", {
  title: "A journal replayed does not give the same decisions",
  message: ({ id, at }) => `Deciding ${id} again gives other facts than its journal holds: ${at}.`,
  fix: () =>
    "compare the version of this command with that of the control plane that wrote it; with equal versions it is a mistake of ours to report",
  left: () => "nothing was changed: a replay only reads.",
});

/** A file that was to say how releases go, and says nothing that can be read. */
export const planUnreadable = entry<{ file: string; reason: string }>("cli-plan-unreadable", {
  title: "A file with a pace, with limits or with a journal cannot be read",
  message: ({ file, reason }) => `${file} cannot be read: ${reason}.`,
  fix: () => "name a file that is there, in YAML or JSON; a journal is a fact a line, as JSON",
});

/** A pace or limits that no rollout could be carried out with. */
export const planMalformed = entry<{ file: string; complaints: readonly string[] }>("cli-plan-malformed", {
  title: "A pace or limits make no sense",
  message: ({ file, complaints }) => `What ${file} says cannot be carried out. ${complaints.join(" ")}`,
  fix: () => "correct what is named; fields that are left out have their defaults",
});

/** Nothing says how busy the service is. */
export const trafficUnknown = entry("cli-traffic-unknown", {
  title: "It is not known how busy the service is",
  message: () =>
    "What a plan can see depends on the service's requests and on how many of them usually fail, and neither was told.",
  fix: () =>
    "give --requests-per-minute and --failure-percent, or --from-history <rollout> to learn them from its journal",
});

/** A journal in which no request was counted. */
export const journalUnmeasured = entry<{ name: string }>("cli-journal-unmeasured", {
  title: "A rollout's journal holds no requests",
  message: ({ name }) =>
    `In the rollout ${name} no request was measured, so it tells nothing of the service's traffic.`,
  fix: () => "name an earlier rollout, <app>/<revision>; `ballast release list` shows those there are",
});

/** No file of that stack is here, or it holds no configuration. */
export const stackUnreadable = entry<{ file: string; reason: string }>("cli-stack-unreadable", {
  title: "A stack's file cannot be read",
  message: ({ file, reason }) => `${file} cannot be used: ${reason}.`,
  fix: () => "run the command in the program's folder, and name stacks whose Pulumi.<stack>.yaml lies there",
  left: () => "nothing was changed.",
});

/** What is to be promoted could be another image tomorrow. */
export const promoteMutable = entry<{ key: string; file: string; image: string }>("cli-promote-mutable", {
  title: "An image cannot be promoted by its tag",
  message: ({ key, file, image }) =>
    `${key} in ${file} is ${image}, and only a digest is the same image in every environment.`,
  fix: ({ file, key }) => `put the image's digest into ${key} of ${file} first; \`ballast image build\` prints it`,
  left: () => "nothing was changed.",
});

/** What others install is JavaScript; an image is built from what lies in the repository. */
export const imageSourcesMissing = entry("cli-image-sources-missing", {
  title: "There are no sources to build an image from",
  message: () =>
    "An image is built from the sources of the repository, and the package that others install holds none.",
  fix: () => "run it in a clone of the repository",
  left: () => "nothing was built and nothing was sent.",
});

/** A registry builds what Azure's command line sends it. */
export const imageAzMissing = entry("cli-image-az-missing", {
  title: "Azure's command line is not here",
  message: () =>
    "There is no command az on this machine, and an image is built by a registry that it sends the files to.",
  fix: () => "install the Azure CLI and sign in with `az login`, or run the workflow .github/workflows/images.yml",
  left: () => "nothing was built.",
});

/** The registry, or the way to it, said no; its own last words are given. */
export const imageBuildFailed = entry<{ step: string; words: string }>("cli-image-build-failed", {
  title: "An image was not built",
  message: ({ step, words }) => `Azure's command line failed in ${step}:\n${words}`,
  fix: () =>
    "do what its words say; building needs `az login` and the right to run tasks in the registry, which Container Registry Tasks Contributor has",
  left: () => "no stack runs anything else than before.",
});

/** A command that needs a stand-in, and none runs on that folder. */
export const localNotUp = entry<{ folder: string; start: string }>("cli-local-not-up", {
  title: "The stand-in cloud is not up",
  message: ({ folder }) => `No stand-in cloud runs on ${folder}.`,
  fix: ({ start }) => `start it with \`${start}\`, or name the folder of the one you mean with --folder`,
});

/** One folder is one cloud, and one process. */
export const localUpAlready = entry<{ folder: string; pid: number }>("cli-local-up-already", {
  title: "The stand-in cloud is up already",
  message: ({ folder, pid }) => `Process ${pid} is the stand-in cloud of ${folder}.`,
  fix: () =>
    "go on with that one, stop it with `ballast local down`, or give another one a folder of its own with --folder",
  left: () => "nothing was changed: it goes on.",
});

/** Somebody else listens where this cloud must. */
export const localPortTaken = entry<{ port: number; kept: boolean }>("cli-local-port-taken", {
  title: "The stand-in cloud's port is taken",
  message: ({ port, kept }) =>
    `Another process listens on 127.0.0.1:${port}${kept ? ", which is where the clients of this cloud look for it" : ""}.`,
  fix: ({ kept }) =>
    kept
      ? "end that process (`ss -ltnp` shows it), or give this cloud up with `ballast local reset --yes`"
      : "name another port with --port, or leave the choice to us",
  left: () => "nothing was started, and what is kept is as it was.",
});

/** A kept cloud does not move. */
export const localPortKept = entry<{ asked: number; port: number; folder: string }>("cli-local-port-kept", {
  title: "A kept stand-in cloud has a port already",
  message: ({ asked, port, folder }) =>
    `The cloud in ${folder} is at port ${port}, where its clients look for it, and cannot move to ${asked}.`,
  fix: () => "leave --port out, or make another cloud with --folder",
  left: () => "nothing was started, and what is kept is as it was.",
});

/** What lies in the folder is damaged, or another version's. */
export const localStateUnreadable = entry<{ reason: string }>("cli-local-state-unreadable", {
  title: "The kept state of the stand-in cloud cannot be read",
  message: ({ reason }) => `${reason}, so this is not the cloud that it was.`,
  fix: () => "start it with the version of Ballast that wrote it, or give it up with `ballast local reset --yes`",
  left: () => "nothing was started, and the folder is as it was.",
});

/** The process ended before it was ready; its own last words are given. */
export const localStartFailed = entry<{ words: string; log: string }>("cli-local-start-failed", {
  title: "The stand-in cloud did not start",
  message: ({ words, log }) =>
    `The stand-in cloud ended before it was ready. The end of its log (${log}):\n${words || "(nothing)"}`,
  fix: () => "do what its words say; if they say nothing to you, it is a mistake of ours to report with them",
  left: () => "nothing runs, and what is kept is as it was.",
});

/** An image is named in a way that is not understood, or is not there. */
export const localImageUnclear = entry<{ image: string; reason: string }>("cli-local-image-unclear", {
  title: "An image of the stand-in cloud is not understood",
  message: ({ image, reason }) => `"${image}" does not say which program an image is: ${reason}.`,
  fix: () => "write --image <name>=<folder>:<entry file in it>, for example --image shop=./services/shop:main.js",
  left: () => "nothing was started.",
});

/** What cannot be taken back is asked for twice. */
export const localResetUnasked = entry<{ folder: string }>("cli-local-reset-unasked", {
  title: "Forgetting a whole cloud needs a yes",
  message: ({ folder }) =>
    `This would forget everything of the stand-in cloud in ${folder}: apps, revisions, keys, rows.`,
  fix: () => "say so with --yes",
  left: () => "nothing was changed.",
});

/** The folder holds something else. */
export const localFolderForeign = entry<{ folder: string }>("cli-local-folder-foreign", {
  title: "A folder is not a stand-in cloud's",
  message: ({ folder }) => `${folder} holds files and no stand-in cloud.`,
  fix: () => "name an empty or a new folder with --folder",
  left: () => "nothing was changed.",
});

/** No app of that name is in the stand-in. */
export const localAppUnknown = entry<{ app: string; known: readonly string[] }>("cli-local-app-unknown", {
  title: "The stand-in cloud has no such app",
  message: ({ app, known }) =>
    `The stand-in cloud has no app ${app} that can be asked from outside; it has ${known.length ? known.join(", ") : "none"}.`,
  fix: () => "name one of those, or deploy it first",
});

/** A moment or a span of time is written in a way that is not understood. */
export const localTimeUnclear = entry<{ text: string; wanted: string }>("cli-local-time-unclear", {
  title: "A time is not understood",
  message: ({ text, wanted }) => `"${text}" is not ${wanted}.`,
  fix: () => "write a moment as 2030-01-31T12:00:00Z, and a span as 90s, 15m, 2h or 30d",
});

/** The stand-in itself says no, in its own words. */
export const localRefused = entry<{ reason: string }>("cli-local-refused", {
  title: "The stand-in cloud refused",
  message: ({ reason }) => `The stand-in cloud refused: ${reason}`,
  fix: () => "change what it names; `--help` of the command lists what there is",
});

/** The application lies in Entra, which Azure's command line is asked to write to. */
export const signInAzMissing = entry("cli-sign-in-az-missing", {
  title: "Azure's command line is not here to write to Entra",
  message: () => "There is no command az on this machine, and the application and its roles are written through it.",
  fix: () =>
    "install the Azure CLI and sign in with `az login`, or make the application with the program in examples/sign-in",
  left: () => "nothing was written.",
});

/** Entra, or the way to it, said no; its own last words are given. */
export const signInFailed = entry<{ step: string; words: string }>("cli-sign-in-failed", {
  title: "The application or its roles were not written as asked",
  message: ({ step, words }) => `Azure's command line failed in ${step}:\n${words}`,
  fix: () =>
    "do what its words say, then run the same command again; making an application needs Application Developer, giving its roles an owner of it or a Cloud Application Administrator",
  left: () => "what was written before that step stays, and the same command finds it.",
});

/** Roles are given at an application, and there is none of that name. */
export const signInUnknown = entry<{ name: string; audience: string }>("cli-sign-in-unknown", {
  title: "There is no application of that name in the tenant",
  message: ({ name, audience }) =>
    `No application in the tenant of \`az login\` has the audience ${audience}, so ${name} has no roles to give.`,
  fix: ({ name }) => `run \`ballast sign-in create ${name}\`, or sign in to the tenant that has it`,
  left: () => "nothing was written.",
});
