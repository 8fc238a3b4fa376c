// Makes the revision of a rotation: the one that serves, with another secret in its variables. Everything is one PATCH,
// so that no revision can name a version that its app does not have yet.
import type { Container, ContainerApp, Revision, Secret, Template } from "@azure/arm-appcontainers";
import type { Result } from "../../../engines/engine.ts";
import type { Purpose, Target } from "../../../engines/rollout/vocabulary.ts";
import { userSecret } from "../../../engines/rotation/declaration.ts";
import type { Apps } from "../../performers/rollout-ports.ts";
import type { Fence } from "../../runtime/ports.ts";
import { type Cloud, getApp, getRevision } from "./cloud.ts";
import { pollMilliseconds, refuseUnread, settle } from "./settle.ts";
import { servingIn } from "./traffic.ts";
import { asResult } from "./trouble.ts";

/**
 * Makes a revision from the one that serves, unless it exists.
 *
 * The app's own template is that of the latest revision, which may be one that was rolled back. The template of the
 * revision with the most traffic is taken instead.
 */
export function repoint(
  cloud: Cloud,
  { target, revision, purpose }: Parameters<Apps["repoint"]>[0],
  fence: Fence,
): Promise<Result<null>> {
  return settle<null>(cloud, fence, async (sent) => {
    const found = await getRevision(cloud, target, revision);
    if (found.ok) return { say: "done", value: null };
    if (found.trouble.status !== 404) return refuseUnread(found);
    if (sent) return { say: "wait", reason: `revision ${revision} does not exist yet` };
    const app = await getApp(cloud, target);
    if (!app.ok) return refuseUnread(app);
    if (app.value.provisioningState === "InProgress")
      return { say: "wait", reason: "another operation on the app is under way" };
    const serving = await servingOf(cloud, target, app.value);
    if (!serving.ok) return { say: "refuse", ...serving };
    const patch = patchFor(app.value, serving.value, revision, purpose);
    if (!patch.ok) return { say: "refuse", reason: patch.reason };
    return {
      say: "send",
      send: (abortSignal) =>
        cloud.apps.containerApps
          .update(target.resourceGroup, target.app, patch.value, {
            abortSignal,
            updateIntervalInMs: pollMilliseconds(cloud.patience),
          })
          .pollUntilDone({ abortSignal }),
    };
  });
}

/** Gives the revision with the most traffic. */
export async function servingOf(
  cloud: Cloud,
  target: Target,
  app: ContainerApp,
  cancel?: AbortSignal,
): Promise<Result<Revision>> {
  const serving = servingIn(app);
  if (!serving.ok) return serving;
  const found = await getRevision(cloud, target, serving.value, cancel);
  return asResult(found);
}

/** Gives the patch that makes the revision, or why there is none. Azure replaces lists, so each is sent whole. */
export function patchFor(
  app: ContainerApp,
  { template }: Revision,
  revision: string,
  purpose: Purpose,
): Result<ContainerApp> {
  const secrets = secretsFor(app, purpose);
  if (!secrets.ok) return secrets;
  const moved = template && moveTemplate(template, purpose);
  if (moved === undefined || !namesSecret(moved, purpose.secret))
    return { ok: false, reason: `no variable of the serving revision names the secret ${purpose.replaces}` };
  const revisionSuffix = revision.slice(revision.indexOf("--") + 2);
  return {
    ok: true,
    value: {
      location: app.location,
      configuration: { secrets: secrets.value },
      template: { ...moved, revisionSuffix },
    },
  };
}

/**
 * Gives the app's secrets with one moved to another version. A secret by value cannot be sent back without reading it,
 * and a control plane that may read one may read all.
 */
export function secretsFor(app: ContainerApp, { secret, url }: Pick<Purpose, "secret" | "url">): Result<Secret[]> {
  const secrets = app.configuration?.secrets ?? [];
  const byValue = secrets.find(({ keyVaultUrl }) => !keyVaultUrl);
  if (byValue !== undefined)
    return {
      ok: false,
      reason: `the app holds the secret ${byValue.name} by value; make it a reference to a vault first`,
    };
  if (!secrets.some(({ name }) => name === secret))
    return { ok: false, reason: `the app has no secret ${secret}; declare both slots of the credential` };
  return {
    ok: true,
    value: secrets.map((one) => (one.name === secret ? { ...one, keyVaultUrl: url } : one)),
  };
}

const moveTemplate = (template: Template, { secret, replaces }: Purpose): Template => {
  // The role of a slot goes with its password.
  const others = new Map([
    [replaces, secret],
    [userSecret(replaces), userSecret(secret)],
  ]);
  const move = <Each extends Pick<Container, "env">>(container: Each): Each => ({
    ...container,
    ...(container.env && {
      env: container.env.map((variable) => {
        const other = others.get(variable.secretRef ?? "");
        return other === undefined ? variable : { ...variable, secretRef: other };
      }),
    }),
  });
  return {
    ...template,
    ...(template.containers && { containers: template.containers.map(move) }),
    ...(template.initContainers && { initContainers: template.initContainers.map(move) }),
  };
};

export const namesSecret = ({ containers = [], initContainers = [] }: Template, secret: string): boolean =>
  [...containers, ...initContainers].some(({ env = [] }) => env.some(({ secretRef }) => secretRef === secret));
