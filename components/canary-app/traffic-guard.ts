// Keeps an update from undoing a rollback. An update sends the traffic that its plan has read, and a rollback could
// move traffic in the seconds between. So the app is locked while it is written: the control plane then does not shift
// its traffic. An abort overrides the lock and corrects the traffic after the update.
import * as pulumi from "@pulumi/pulumi";
import { canaryAppScopeChanges, canaryAppSecretWaits } from "../../errors/canary-app.ts";
import {
  canaryAppLocked,
  canaryAppTrafficMoved,
  canaryAppUnguarded,
  canaryAppUnreleasable,
} from "../../errors/traffic-guard.ts";
import { logOn, refusal, say, takesHooks } from "../conventions.ts";
import { aloud } from "./aloud.ts";
import { type Configuration, renewals, scopeChanges, secretsRenewed } from "./app-scope.ts";
import { hookNames } from "./hook-names.ts";
import { hole, knownParts } from "./known-parts.ts";
import { isSameTemplate } from "./release-key.ts";
import { describeTraffic, readLive, type TrafficEntry, trafficToSend } from "./traffic.ts";

/** The app to guard, and the control plane that locks it. */
export interface Guarded {
  readonly name: string;
  readonly endpoint: pulumi.Input<string>;
  readonly audience: string;
  readonly resourceGroup: pulumi.Input<string>;
  readonly app: pulumi.Input<string>;
  /** How the release of a new revision will be asked for. */
  readonly asked: object;
}

/** The answer of Ballast's provider to `ballast:index:lock`. */
interface Lock {
  readonly id?: string;
  readonly heldBy?: string;
  /** Why the control plane could not be reached, if it could not. */
  readonly unreachable?: string;
}

/** Stands for the answer of a control plane that is not deployed yet, and that the update leaves out. */
const leftOut: Lock = { unreachable: "It has no address yet, and this update leaves it out (--target or --exclude)." };

/** How long a lock lasts at most. It is released as soon as the update has ended, well or not. */
const lockSeconds = 120;

/**
 * Returns the hooks that keep an update from undoing a rollback.
 *
 * They run in updates only, never in previews. If the control plane cannot be reached, it shifts no traffic either: the
 * guard then compares, warns and continues. Otherwise Pulumi could not repair a control plane that is down. An update
 * that makes a revision is refused instead: nothing could release that revision, and it would run for nobody. So is
 * one whose release the control plane would refuse, such as an older one that does not know a field of it. An app that
 * the control plane does not manage is not created either.
 *
 * @throws canary-app-locked, canary-app-traffic-moved, canary-app-scope-changes, canary-app-unreleasable; each fails
 *   the update
 */
export function trafficGuard(guarded: Guarded, parent: pulumi.Resource): pulumi.ResourceHookBinding {
  if (!takesHooks()) return {};
  const { name, audience, asked } = guarded;
  const known = Promise.all([addressOf(guarded.endpoint), settled(guarded.resourceGroup), settled(guarded.app)]);
  const hook = hookNames(name);
  let lockId: string | undefined;

  const release = async (): Promise<void> => {
    const id = lockId;
    lockId = undefined;
    if (id === undefined) return;
    const [endpoint, resourceGroup, app] = await known;
    await pulumi.runtime
      .invoke("ballast:index:unlock", { endpoint, audience, resourceGroup, app, id }, { parent })
      .catch((error: Error) =>
        // The update is done and must not fail because of its lock.
        logOn(parent, "info", `The lock on ${app} could not be released; it expires by itself: ${error.message}`),
      );
  };
  const take = (args: pulumi.Inputs): Promise<Lock> =>
    aloud(
      pulumi.runtime.invoke("ballast:index:lock", { ...args, seconds: lockSeconds }, { parent }),
      () =>
        void logOn(
          parent,
          "info",
          `${args["app"]} waits for the control plane at ${args["endpoint"]}, which has not answered yet`,
        ),
    );
  const before = async ({ oldInputs, newInputs }: pulumi.ResourceHookArgs): Promise<void> => {
    const [endpoint, resourceGroup, app] = await known;
    const makesRevision = await refuseScope({ resourceGroup, app }, oldInputs, newInputs, parent);
    const of = { endpoint, audience, resourceGroup, app };
    const lock = endpoint === undefined ? leftOut : await take({ ...of, ...(makesRevision && { release: asked }) });
    if (lock.heldBy) throw canaryAppLocked({ app, heldBy: lock.heldBy });
    // Also without an answer, since the lock may have been taken all the same.
    lockId = lock.id || undefined;
    if (lock.unreachable && makesRevision) throw canaryAppUnreleasable({ app, reason: lock.unreachable });
    if (lock.unreachable) await say(canaryAppUnguarded({ app, reason: lock.unreachable }), parent);
    const planned = describeTraffic((await configurationOf(newInputs))?.ingress?.traffic ?? []);
    const live = describeTraffic(trafficToSend(app, await readLive(resourceGroup, app, parent)));
    if (live !== planned) throw canaryAppTrafficMoved({ app, planned, live });
  };

  const beforeCreate = async (): Promise<void> => {
    const [endpoint, resourceGroup, app] = await known;
    if (endpoint === undefined) return;
    await pulumi.runtime.invoke("ballast:index:managed", { endpoint, audience, resourceGroup, app }, { parent });
  };

  return {
    beforeCreate: [new pulumi.ResourceHook(hook("managed"), beforeCreate)],
    beforeUpdate: [
      new pulumi.ResourceHook(hook("traffic-stands"), (args) =>
        before(args).catch(async (error) => {
          await release();
          throw refusal(error);
        }),
      ),
    ],
    afterUpdate: [new pulumi.ResourceHook(hook("traffic-released"), release)],
    onError: [
      new pulumi.ErrorHook(hook("traffic-released-after-failure"), async () => {
        await release();
        return false; // do not retry the update
      }),
    ],
  };
}

/**
 * Waits until Ballast's provider runs and the control plane is deployed. An app must not be written before.
 *
 * The Pulumi CLI starts a provider as one of its steps, and hooks take the places of steps while they run. If the hooks
 * above were the first to call the provider, as many apps as there are places would wait for it for ever: a single one
 * with `--parallel 1`. So they would for a control plane that the same update deploys.
 */
export async function untilProviderRuns(parent: pulumi.Resource, endpoint: pulumi.Input<string>): Promise<void> {
  if (!takesHooks() || pulumi.runtime.isDryRun()) return;
  await Promise.all([pulumi.runtime.invoke("ballast:index:ready", {}, { parent }), addressOf(endpoint)]);
}

/** Waits for a value of the app that an update writes: unlike in a preview, it becomes known. */
const settled = <Value>(value: pulumi.Input<Value>): Promise<pulumi.Unwrap<Value>> =>
  new Promise((resolve) => void pulumi.output(value).apply(resolve));

/**
 * Waits for the address of the control plane. Gives undefined if it stays unknown: an update with `--target` or
 * `--exclude` may leave out a control plane that was never deployed.
 */
async function addressOf(endpoint: pulumi.Input<string>): Promise<string | undefined> {
  const known = await knownParts({ endpoint });
  return known["endpoint"] === hole ? undefined : String(known["endpoint"]);
}

/** Reads the configuration from inputs. If any part of it is a secret, Pulumi wraps the whole. */
const configurationOf = (inputs: Record<string, unknown> | undefined) =>
  settled<(Configuration & { readonly ingress?: { readonly traffic?: readonly TrafficEntry[] } }) | undefined>(
    inputs?.["configuration"] as never,
  );

/**
 * Refuses an update that makes a revision and also changes what all revisions share, which a rollback cannot undo.
 * Reports whether it makes one.
 *
 * The preview has compared with the live app already, except for the values of secrets and what a stack's transforms
 * change. These are known only here, from the previous inputs and the new ones. The state may lack what the live app
 * has, such as a domain that `keepLive` sends back: that is no change.
 *
 * @throws canary-app-scope-changes
 */
async function refuseScope(
  { resourceGroup, app }: { readonly resourceGroup: string; readonly app: string },
  oldInputs: pulumi.ResourceHookArgs["oldInputs"],
  newInputs: pulumi.ResourceHookArgs["newInputs"],
  parent: pulumi.Resource,
): Promise<boolean> {
  if (oldInputs === undefined) return false;
  const [was, will] = [await configurationOf(oldInputs), await configurationOf(newInputs)];
  const serving = await settled(oldInputs["template"]);
  const makesRevision = !isSameTemplate(serving, await settled(newInputs?.["template"]));
  if (makesRevision && scopeChanges(was, will, serving).length > 0) {
    const { configuration = was, template = serving } = (await readLive(resourceGroup, app, parent)) ?? {};
    const changes = [...scopeChanges(configuration, will, template), ...renewals(was, will)];
    if (changes.length > 0) throw canaryAppScopeChanges({ app, changes: [...new Set(changes)] });
  }
  const secrets = secretsRenewed(was, will);
  if (secrets.length > 0) await say(canaryAppSecretWaits({ app, secrets }), parent);
  return makesRevision;
}
