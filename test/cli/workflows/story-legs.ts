// The legs of the story, in their order. Each says what it saw, and has a check that can fail.
import { createHash, randomUUID } from "node:crypto";
import { type Estate, resourceGroup } from "../../../demo/remediation/estate.ts";
import { type Load, startUsers } from "../../../demo/remediation/load.ts";
import { type Plane, startPlane } from "../../../demo/remediation/plane.ts";
import { armOf } from "../../../demo/rotation/arm.ts";
import { eventually } from "../../../demo/rotation/eventually.ts";
import type { Timeline } from "../../../demo/timeline.ts";
import { githubIssuer } from "../../../emulator/github/oidc.ts";
import { DeliveredProject } from "./delivered-project.ts";
import { signInByJob } from "./federated-login.ts";
import { audience, filesOf, type Platform, policyIn } from "./story-program.ts";

/** Where the story is told. */
interface Stage {
  readonly act: string;
  readonly estate: Estate;
  readonly timeline: Timeline;
  readonly stop: AbortSignal;
}

/** A stage with the platform and the team's repository on it. */
interface Scene extends Stage {
  readonly project: DeliveredProject;
  readonly plane: Plane;
  readonly platform: Platform;
}

const repository = { full_name: "acme/shop", name: "shop", owner: { login: "acme" } };
/** The token by which the control plane writes issues: that of an app of the platform's team. */
const planeToken = "ghs_platform0of0the0emulated0github0000000";
const appVersion = "2025-07-01";
const identityVersion = "2023-01-31";
const signedIn = "by the token of the job";

/** Tells it. The stage stays as it was found. */
export async function tellStory(stage: Stage): Promise<void> {
  const { act, estate, timeline, stop } = stage;
  const { cloud } = estate;
  const scope = `/subscriptions/${cloud.subscription}/resourceGroups/${resourceGroup}`;
  await estate.arm.ask("PUT", `${scope}/providers/Microsoft.Insights/actionGroups/on-call`, "2024-10-01-preview", {
    location: "global",
    properties: { enabled: true, groupShortName: "on-call" },
  });
  await using project = await DeliveredProject.make(act, {
    stacks: ["prod"],
    files: { "index.js": "" },
    tenant: cloud.tenant,
    subscription: cloud.subscription,
    config: { "azure-native:metadataHost": `management.${cloud.suffix}` },
    environment: cloud.environment,
  });
  project.github.tokens.set(planeToken, { login: "ballast[bot]", app: 1 });
  const policy = policyIn(scope);
  const declared = { targets: [{ target: "app/shop/shop", dependsOn: [] }], policies: [policy] };
  const notify = {
    githubRepository: repository.full_name,
    githubToken: planeToken,
    githubWrites: ["issues"],
    githubApi: project.github.api,
  };
  const plane = await startPlane(estate, [{ name: "shop" }], declared, stop, {
    BALLAST_NOTIFY: JSON.stringify(notify),
  });
  const platform = { scope, controlPlane: plane.endpoint };
  const scene: Scene = { ...stage, project, plane, platform };
  try {
    timeline.line("on the machine: an emulator of Azure, one of GitHub, a database and a control plane");
    const deployer = await trust(scene);
    await setUp(scene);
    const users = startUsers(cloud, await project.output("prod", "url"), () => undefined);
    try {
      await follow(scene, users, deployer);
    } finally {
      await users.stop();
      await project.run("pulumi", ["destroy", "--yes", "--skip-preview", "--stack", "prod", "--non-interactive"]);
    }
  } finally {
    await plane.close();
  }
}

/** The most of a line of the comment that is printed. */
const shownMax = 100;

const push = { ref: "refs/heads/main", repository };
const lastLines = (log: string): string =>
  log
    .split("\n")
    .filter((line) => !/LocalRepositoryCache|⭐|✅/.test(line))
    .slice(-60)
    .join("\n");

/** The roles of the identities, as docs/guides/workflows.md says. */
const rights = {
  previews: { subject: "pull_request", role: "acdd72a7-3385-48ef-bd42-f606fba81ae7", appRoles: ["Rollout.Read"] },
  deploys: {
    subject: "environment:prod",
    role: "b24988ac-6180-42a0-ab88-20f7382dd24c",
    appRoles: ["Rollout.Read", "Rollout.Write"],
  },
} as const;

interface Identity {
  readonly clientId: string;
  readonly principalId: string;
}

/**
 * Makes an identity for previews and one for updates, with their roles; each trusts its runs and no others.
 *
 * @returns that for updates
 */
async function trust({ timeline, estate, project, platform }: Scene): Promise<Identity> {
  const { arm, cloud } = estate;
  await arm.control("issuers", { issuer: githubIssuer, keys: project.github.keys });
  const trusting = async (name: keyof typeof rights): Promise<Identity> => {
    const { subject: end, role, appRoles: roles } = rights[name];
    const at = `${platform.scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
    const { properties: made } = await arm.ask("PUT", at, identityVersion, { location: "westeurope" });
    const subject = `repo:${repository.full_name}:${end}`;
    const properties = { issuer: githubIssuer, subject, audiences: ["api://AzureADTokenExchange"] };
    await arm.ask("PUT", `${at}/federatedIdentityCredentials/github`, identityVersion, { properties });
    const authorization = "providers/Microsoft.Authorization";
    const roleDefinitionId = `/subscriptions/${cloud.subscription}/${authorization}/roleDefinitions/${role}`;
    const assignment = `${platform.scope}/${authorization}/roleAssignments/${randomUUID()}`;
    const { principalId } = made;
    await arm.ask("PUT", assignment, "2022-04-01", { properties: { roleDefinitionId, principalId } });
    await arm.control("app-roles", { principalId, audience, roles });
    return { clientId: made.clientId, principalId };
  };
  const [previews, deploys] = [await trusting("previews"), await trusting("deploys")];
  const [preview, deploy] = [previews.clientId, deploys.clientId];
  project.identities = { preview, deploy: { prod: deploy } };
  const ofPullRequest = project.github.job({ of: project.hosted, event: "pull_request", ref: "refs/pull/1/merge" });
  const refusal = await signInByJob(ofPullRequest, deploy, cloud.tenant).then(() => "", String);
  timeline.check(refusal.includes("AADSTS700213"), "a pull request cannot sign in as the identity that deploys");
  const ofDev = project.github.job({ of: project.hosted, event: "push", ref: "refs/heads/main", environment: "dev" });
  const refusedDev = await signInByJob(ofDev, deploy, cloud.tenant).then(() => "", String);
  timeline.check(refusedDev.includes("AADSTS700213"), "a job of dev cannot sign in as the identity that deploys prod");
  const token = await signInByJob(ofPullRequest, preview, cloud.tenant);
  const write = armOf(cloud, async () => token).ask(
    "PUT",
    `${platform.scope}/providers/Microsoft.App/jobs/any`,
    appVersion,
    {},
  );
  const forbidden = await write.then(() => "", String);
  timeline.check(forbidden.includes("AuthorizationFailed"), "the identity that it signs in as may write nothing");
  return deploys;
}

/** Writes the callers, and deploys the first release by them. */
async function setUp({ timeline, project, platform }: Scene): Promise<void> {
  timeline.chapter("Before: `ballast workflows init`, and the first release by the workflow that it wrote");
  project.write(filesOf(platform, 1, false));
  const printed = await project.init();
  for (const line of printed.split("\n").filter((each) => each.startsWith("wrote"))) timeline.line(line);
  project.commit("main", "The shop, and its workflows");
  const ran = await timeline.during("act push (deploy.yml → pulumi-up)", project.event("push", "deploy.yml", push));
  if (ran.code !== 0) throw new Error(`the first deployment failed:\n${lastLines(ran.log)}`);
  timeline.check(ran.log.includes(signedIn), "the run signed in to Azure by its own token, without a stored key");
  timeline.line(await project.output("prod", "message"));
}

/** Follows one commit. */
async function follow(scene: Scene, users: Load, deployer: Identity): Promise<void> {
  const { timeline } = scene;
  const [before] = await servingIn(scene);
  const number = await pullRequest(scene);
  const trace = await merged(scene, number, deployer);
  const revision = await scene.project.output("prod", "revision");
  timeline.check((await servingIn(scene)).join() === revision, `${revision} serves all users`);
  timeline.chapter("The alert, after the promotion");
  const felt = await eventually(async () => users.firstFailureAt(), "the first failed request", 240);
  timeline.line(`users feel it, ${Math.round((Date.now() - felt) / 1000)} s ago for the first time`, "red");
  await alerted(scene, trace);
  await remediated(scene, trace, before!);
  await issueOpened(scene, trace);
}

/** Opens the pull request of a release whose fault comes late, and gives its number. */
async function pullRequest({ timeline, project, platform }: Scene): Promise<number> {
  timeline.chapter("The pull request");
  project.write(filesOf(platform, 2, true));
  const sha = project.commit("topic", "Release 2");
  const { number } = await project.ask("POST", "/pulls", { title: "Release 2", head: "topic", base: "main" });
  const head = { sha, ref: "topic", repo: { full_name: repository.full_name } };
  const ran = await timeline.during(
    "act pull_request (preview.yml → pulumi-preview)",
    project.event("pull_request", "preview.yml", {
      number,
      pull_request: { number, head, base: { ref: "main" } },
      repository,
    }),
  );
  const comments = project.hosted.comments.map(({ body }) => body);
  const [comment = ""] = comments;
  for (const line of comment.split("\n").filter((each) => each.trim() !== "" && !each.startsWith("<!--")))
    timeline.line(`  ${line.length > shownMax ? `${line.slice(0, shownMax)}…` : line}`, "dim");
  const isRight =
    ran.code === 0 && ran.log.includes(signedIn) && comments.length === 1 && comment.includes(sha.slice(0, 8));
  const isAsked = comment.includes("no rollout of it has measured its traffic yet");
  timeline.check(isAsked, "the preview asked the control plane for the traffic, as the identity of previews");
  timeline.check(isRight, `pull request ${number} has one comment, for commit ${sha.slice(0, 8)}`);
  if (!isRight) throw new Error(lastLines(ran.log));
  return number;
}

/** Merges it: the workflow updates the stack, which waits for the canary. Gives the trace of the run. */
async function merged({ timeline, project, plane }: Scene, number: number, deployer: Identity): Promise<string> {
  timeline.chapter("The merge: pulumi-up, and the canary");
  await project.ask("PUT", `/pulls/${number}/merge`, {});
  const commit = project.pull("main");
  const ran = await timeline.during("act push (deploy.yml → pulumi-up)", project.event("push", "deploy.yml", push));
  if (ran.code !== 0) throw new Error(`the update failed:\n${lastLines(ran.log)}`);
  const trace = createHash("sha256").update(`${repository.full_name}/${ran.run}`).digest("hex").slice(0, 32);
  const summary = project.artifact("pulumi-up-prod", "summary.md").trim();
  timeline.line(summary);
  timeline.check(summary.includes(`${commit}: success. Trace: \`${trace}\``), `the summary has the trace ${trace}`);
  const name = { resourceGroup, app: "shop", revision: await project.output("prod", "revision") };
  const journal = await plane.rollouts.journal(name);
  for (const { event, message } of journal)
    if (["Started", "StepReached", "StepPassed", "Finished"].includes(event.kind)) timeline.line(`  ${message}`, "dim");
  const [first] = journal;
  const intent = first?.event.kind === "Planned" ? first.event.intent : undefined;
  timeline.check(intent?.trace === trace, "the journal of the rollout has the trace");
  timeline.check(intent?.requestedBy === deployer.principalId, "the release was asked for by the identity of the run");
  const { result } = (await plane.rollouts.show(name)) ?? {};
  timeline.check(result === "promoted", `${name.revision} was ${result}`);
  return trace;
}

/** Gives the revisions that have traffic. */
async function servingIn({ estate, platform: { scope } }: Scene): Promise<readonly string[]> {
  const { properties } = await estate.arm.ask("GET", `${scope}/providers/Microsoft.App/containerApps/shop`, appVersion);
  const traffic = properties.configuration.ingress.traffic as readonly { revisionName: string; weight: number }[];
  return traffic.filter(({ weight }) => weight > 0).map(({ revisionName }) => revisionName);
}

interface ListedAlert {
  readonly name: string;
  readonly properties: {
    readonly essentials: { readonly startDateTime: string };
    readonly context: { readonly context: { readonly properties: { readonly trace?: string } } };
  };
}

async function alerted({ timeline, estate }: Scene, trace: string): Promise<void> {
  const path = `/subscriptions/${estate.cloud.subscription}/providers/Microsoft.AlertsManagement/alerts`;
  const alert = await eventually(
    async () => {
      const { value } = await estate.arm.ask("GET", path, "2019-05-05-preview&includeContext=true");
      return (value as readonly ListedAlert[])[0];
    },
    "the alert",
    240,
  );
  const { essentials, context } = alert.properties;
  timeline.line(`${alert.name} fired at ${essentials.startDateTime}`, "red");
  timeline.check(context.context.properties.trace === trace, "the alert has the trace");
}

/** The remediation asks a rollout to give the traffic back, and counts the requests since. */
async function remediated(scene: Scene, trace: string, before: string): Promise<void> {
  const { timeline, plane } = scene;
  timeline.chapter("The remediation");
  const summary = await eventually(
    async () => (await plane.remediations.list()).streams.find(({ result }) => result !== null),
    "the remediation to end",
    300,
  );
  const [, type = "", , name = "", incident = ""] = summary.id.split("/");
  const journal = await plane.remediations.journal({ type, resourceGroup, name, incident });
  for (const { event, message } of journal)
    if (["Reported", "Cleared", "Acted", "Judged", "Finished"].includes(event.kind))
      timeline.line(`  ${message}`, "dim");
  const [first] = journal;
  const noted = first?.event.kind === "Reported" ? first.event.incident.alert.trace : undefined;
  timeline.check(noted === trace, "the journal of the remediation has the trace");
  timeline.check(summary.result === "repaired", `${summary.id.split("/").slice(0, 4).join("/")}: ${summary.result}`);
  timeline.check((await servingIn(scene)).join() === before, `${before} serves all users again`);
  const returned = (await plane.rollouts.list()).streams.find(({ release }) => release === `return to ${before}`);
  timeline.check(returned?.trace === trace, "the rollout that gave the traffic back has the trace");
}

async function issueOpened({ timeline, project }: Scene, trace: string): Promise<void> {
  timeline.chapter("The issue");
  const issue = await eventually(
    async () => project.hosted.issues.find(({ login }) => login === "ballast[bot]"),
    "the issue",
  );
  for (const line of issue.body
    .split("\n")
    .slice(1)
    .filter((each) => each.trim() !== ""))
    timeline.line(`  ${line}`, "dim");
  timeline.check(issue.body.includes(`trace: ${trace}`), `issue ${issue.number}, "${issue.title}", has the trace`);
}
