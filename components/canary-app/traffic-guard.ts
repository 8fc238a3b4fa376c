// What stands between the plan of an update and the update: the seconds in which a rollback could have moved the traffic
// that the plan repeats. While an app is written, a short hold keeps the control plane from shifting it; an abort
// overrides the hold and puts traffic right after the update. Knows the control plane only through our provider.
import * as pulumi from "@pulumi/pulumi";
import { canonical } from "../../engines/canonical.ts";
import {
  canaryAppHeld,
  canaryAppScopeChanges,
  canaryAppSecretWaits,
  canaryAppTrafficMoved,
  canaryAppUnguarded,
} from "../../errors/components.ts";
import { refusal } from "../conventions.ts";
import { type Configuration, scopeChanges, secretsRenewed } from "./app-scope.ts";
import { describeTraffic, readTraffic, type TrafficEntry } from "./traffic.ts";

export interface Guarded {
  readonly name: string;
  readonly endpoint: pulumi.Input<string>;
  readonly audience: string;
  readonly resourceGroup: string;
  readonly app: string;
}

/** What our provider answers to `ballast:index:hold`. */
interface Hold {
  readonly id?: string;
  readonly heldBy?: string;
  /** Why nobody answered, where nobody did. */
  readonly unreachable?: string;
}

/** The longest that a hold may last; it is given back as soon as the update has ended, well or not. */
const holdSeconds = 120;

/**
 * Gives the hooks that keep an update from undoing a rollback.
 *
 * They run in updates only, never in previews. Without a control plane nobody shifts traffic but by hand, so the guard
 * then compares, warns and goes on: otherwise Pulumi could not repair a control plane that is down.
 */
export function trafficGuard(guarded: Guarded, parent: pulumi.Resource): pulumi.ResourceHookBinding {
  const { name, audience, resourceGroup, app } = guarded;
  const endpoint = settled(guarded.endpoint);
  let held: string | undefined;

  const release = async (): Promise<void> => {
    const id = held;
    held = undefined;
    if (id === undefined) return;
    await pulumi.runtime
      .invoke("ballast:index:unhold", { endpoint: await endpoint, audience, resourceGroup, app, id }, { parent })
      .catch((error: Error) =>
        pulumi.log.info(`The hold on ${app} could not be given back and ends by itself: ${error.message}`, parent),
      ); // no reason to fail an update that is done
  };
  const before = async ({ oldInputs, newInputs }: pulumi.ResourceHookArgs): Promise<void> => {
    await refuseScope(app, oldInputs, newInputs, parent);
    const hold: Hold = await pulumi.runtime.invoke(
      "ballast:index:hold",
      { endpoint: await endpoint, audience, resourceGroup, app, seconds: holdSeconds },
      { parent },
    );
    if (hold.heldBy) throw canaryAppHeld({ app, heldBy: hold.heldBy });
    if (hold.unreachable)
      await pulumi.log.warn(canaryAppUnguarded({ app, reason: hold.unreachable }).toString(), parent);
    held = hold.id || undefined;
    const planned = describeTraffic((await configurationOf(newInputs))?.ingress?.traffic ?? []);
    const live = describeTraffic(await readTraffic(resourceGroup, app, parent));
    if (live !== planned) throw canaryAppTrafficMoved({ app, planned, live });
  };

  return {
    beforeUpdate: [
      new pulumi.ResourceHook(`${name}-traffic-stands`, (args) =>
        before(args).catch(async (error) => {
          await release();
          throw refusal(error);
        }),
      ),
    ],
    afterUpdate: [new pulumi.ResourceHook(`${name}-traffic-released`, release)],
    onError: [
      new pulumi.ErrorHook(`${name}-traffic-released-after-failure`, async () => {
        await release();
        return false; // the update is not tried again
      }),
    ],
  };
}

/** Waits for a value that an update, unlike a preview, always comes to know. */
const settled = <Value>(value: pulumi.Input<Value>): Promise<pulumi.Unwrap<Value>> =>
  new Promise((resolve) => void pulumi.output(value).apply(resolve));

/** Reads the configuration out of inputs; a secret anywhere in it wraps the whole of it. */
const configurationOf = (inputs: Record<string, unknown> | undefined) =>
  settled<(Configuration & { readonly ingress?: { readonly traffic?: readonly TrafficEntry[] } }) | undefined>(
    inputs?.["configuration"] as never,
  );

/**
 * Refuses an update that makes a revision and changes at the same time what no rollback takes back.
 *
 * The preview has compared with the live app what it could; values of secrets are known only here, where both the last inputs and the new ones are.
 */
async function refuseScope(
  app: string,
  oldInputs: pulumi.ResourceHookArgs["oldInputs"],
  newInputs: pulumi.ResourceHookArgs["newInputs"],
  parent: pulumi.Resource,
): Promise<void> {
  if (oldInputs === undefined) return;
  const [was, will] = [await configurationOf(oldInputs), await configurationOf(newInputs)];
  const serving = await settled(oldInputs["template"]);
  const changes = scopeChanges(was, will, serving);
  const makesRevision = canonical(serving) !== canonical(await settled(newInputs?.["template"]));
  if (makesRevision && changes.length > 0) throw canaryAppScopeChanges({ app, changes });
  const secrets = secretsRenewed(was, will);
  if (secrets.length > 0) await pulumi.log.warn(canaryAppSecretWaits({ app, secrets }).toString(), parent);
}
