// The app of the estate: two replicas, both slots as secrets by reference, and a variable that names slot a at first.
import { type Slot, slotSecret, slots } from "../../engines/rotation/declaration.ts";
import type { Arm } from "./arm.ts";
import { eventually } from "./eventually.ts";
import { app, everyMilliseconds, type Places, versionsOf } from "./places.ts";

const environmentOf = (release: string): readonly object[] => [
  { name: "RELEASE", value: release },
  { name: "FAULT", value: "none" },
  { name: "DATABASE_URL", secretRef: "database-a" },
  { name: "DATABASE_MILLISECONDS", value: String(everyMilliseconds) },
];

const templateOf = (env: readonly object[], revisionSuffix: string): object => ({
  revisionSuffix,
  containers: [
    {
      name: app,
      image: "registry.example/storefront:1",
      env,
      probes: [{ type: "Readiness", httpGet: { path: "/health/ready", port: 8080 }, periodSeconds: 1 }],
    },
  ],
  scale: { minReplicas: 2, maxReplicas: 2 },
});

/** Gives the body of the app, with both slots as secrets and a variable that names slot a. */
export const appBody = (at: Places, suffix: string, urls: Readonly<Record<Slot, string>>): object => ({
  location: "westeurope",
  identity: { type: "UserAssigned", userAssignedIdentities: { [at.reader]: {} } },
  properties: {
    managedEnvironmentId: at.environment,
    configuration: {
      activeRevisionsMode: "Multiple",
      ingress: { external: true, targetPort: 8080, traffic: [{ revisionName: `${app}--one`, weight: 100 }] },
      secrets: slots.map((slot) => ({
        name: slotSecret("database", slot),
        keyVaultUrl: urls[slot].replace(`.${suffix}/`, ".azure.net/"),
        identity: at.reader,
      })),
    },
    template: templateOf(environmentOf("1"), "one"),
  },
});

/** Puts the app, and gives the address at which users reach it. */
export async function putApp(arm: Arm, at: Places, body: object): Promise<string> {
  const put = await arm.settle(at.app, versionsOf.app, body);
  await ready(arm, at, `${app}--one`);
  return `https://${put.properties.configuration.ingress.fqdn}`;
}

async function ready(arm: Arm, at: Places, revision: string): Promise<void> {
  const health = async (): Promise<true | undefined> => {
    const found = await arm.ask("GET", `${at.app}/revisions/${revision}`, versionsOf.app).catch(() => undefined);
    return found?.properties.healthState === "Healthy" || undefined;
  };
  await eventually(health, `${revision} to be healthy`);
}

/** Puts a revision with another RELEASE that names the slot of the newest one. */
export async function putRelease(arm: Arm, at: Places, suffix: string): Promise<string> {
  const { properties } = await arm.ask("GET", at.app, versionsOf.app);
  const { env } = properties.template.containers[0] as { readonly env: readonly { readonly name: string }[] };
  const changed = env.map((one) => (one.name === "RELEASE" ? { name: "RELEASE", value: suffix } : one));
  await arm.ask("PATCH", at.app, versionsOf.app, {
    location: "westeurope",
    properties: { template: templateOf(changed, suffix) },
  });
  await ready(arm, at, `${app}--${suffix}`);
  return `${app}--${suffix}`;
}
