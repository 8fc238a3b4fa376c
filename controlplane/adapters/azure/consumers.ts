// The apps that name a slot of a credential: which slot the serving revision names, and the secret of the other one.
import type { ContainerApp, Template } from "@azure/arm-appcontainers";
import { type Slot, slotSecret, slots } from "../../../engines/rotation/declaration.ts";
import type { Consumers } from "../../performers/rotation-ports.ts";
import { type Cloud, getApp } from "./cloud.ts";
import type { Connection } from "./connection.ts";
import { namesSecret, secretsFor, servingOf } from "./repoint.ts";
import { pollMilliseconds, refuseUnread, settle } from "./settle.ts";
import { asResult, type Patience } from "./trouble.ts";

/** Opens the consumers over the clients of a connection. */
export function createConsumers(connection: Pick<Connection, "apps" | "ready">, patience: Patience): Consumers {
  const cloud: Cloud = { apps: connection.apps, ready: connection.ready, patience };
  return {
    slotOf: async (consumer, credential, cancel) => {
      const app = await getApp(cloud, consumer, cancel);
      if (!app.ok) return asResult(app);
      const serving = await servingOf(cloud, consumer, app.value, cancel);
      return serving.ok ? { ok: true, value: slotIn(serving.value.template, credential) } : serving;
    },
    moveSecret: ({ resourceGroup, app }, secret, url, fence) =>
      settle<null>(cloud, fence, async (sent) => {
        const found = await getApp(cloud, { resourceGroup, app });
        if (!found.ok) return refuseUnread(found);
        if (hasUrl(found.value, secret, url)) return { say: "done", value: null };
        if (sent || found.value.provisioningState === "InProgress")
          return { say: "wait", reason: "another operation on the app is under way" };
        const secrets = secretsFor(found.value, { secret, url });
        if (!secrets.ok) return { say: "refuse", reason: secrets.reason };
        const patch = { location: found.value.location, configuration: { secrets: secrets.value } };
        return {
          say: "send",
          send: (abortSignal) =>
            cloud.apps.containerApps
              .update(resourceGroup, app, patch, { abortSignal, updateIntervalInMs: pollMilliseconds(patience) })
              .pollUntilDone({ abortSignal }),
        };
      }),
  };
}

const hasUrl = (app: ContainerApp, secret: string, url: string): boolean =>
  app.configuration?.secrets?.some(({ name, keyVaultUrl }) => name === secret && keyVaultUrl === url) ?? false;

/** Gives the slot that a template names; null if it names none or both. */
function slotIn(template: Template | undefined, credential: string): Slot | null {
  const named = slots.filter((slot) => template !== undefined && namesSecret(template, slotSecret(credential, slot)));
  return named.length === 1 ? named[0]! : null;
}
