// Whatever is secret by meaning is a secret in the state, also if a program passes a plain string: in the inputs of the
// component itself, and in those of every resource below it.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { CanaryApp } from "../../components/canary-app/canary-app.ts";
import { ControlPlane } from "../../components/platform/control-plane.ts";
import { JournalDatabase } from "../../components/platform/journal-database.ts";
import { type Declared, record } from "../support/program/mocks.ts";

const scope = "/subscriptions/s/resourceGroups/rg";
const place = { scope, resourceGroupName: "rg", location: "westeurope", tenant: "tenant" };
const environment = { id: "environment", domain: "example.net" };

/** The arguments that are secret by meaning, by the name of their field, each with a plain value. */
const plain = {
  password: "PLAIN-LOGIN",
  serverPassword: "PLAIN-SERVER",
  notify: "PLAIN-NOTIFY",
  rotatorPassword: "PLAIN-ROTATOR",
  secrets: "PLAIN-SECRETS",
};

const declareAll = (): void => {
  new ControlPlane("control-plane", {
    ...place,
    image: "image",
    pull: { server: "server", identity: "identity" },
    environment,
    workspace: { id: "workspace", customerId: "customer" },
    database: { host: "host", name: "name", login: { user: "user", password: plain.password } },
    managedTargets: [],
    audience: "api://ballast",
    notify: plain.notify,
    rotatorPassword: plain.rotatorPassword,
  });
  new JournalDatabase("journal", { ...place, password: plain.serverPassword });
  new CanaryApp("shop", {
    containerAppName: "shop",
    resourceGroupName: "rg",
    controlPlane: { endpoint: "https://control-plane.example.net", audience: "api://ballast" },
    configuration: { ingress: { targetPort: 80 }, secrets: [{ name: "one", value: plain.secrets }] },
    template: { containers: [{ name: "shop", image: "image", env: [{ name: "ONE", secretRef: "one" }] }] },
  });
};

/** The key by which Pulumi marks special values, and the mark of a secret. */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretMark = "1b47061264138c4ac30d75fd1eb44270";

/** Gives a value without anything that is marked as a secret. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  if ((value as Record<string, unknown>)[signatureKey] === secretMark) return "[secret]";
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutSecrets(each)]));
}

const found = (declared: readonly Declared[], text: (inputs: unknown) => string) =>
  declared.flatMap(({ type, inputs }) =>
    Object.entries(plain)
      .filter(([, value]) => text(inputs).includes(value))
      .map(([name]) => `${name} in ${type}`),
  );

test("no secret of any component is in plain text in the state, and each is there as a secret", async () => {
  const { declared } = await record(declareAll);
  expect(found(declared, (inputs) => JSON.stringify(withoutSecrets(inputs)))).toEqual([]);
  expect(found(declared, JSON.stringify).toSorted()).toEqual([
    "notify in azure-native:app:ContainerApp",
    "notify in ballast:index:ControlPlane",
    "password in azure-native:app:ContainerApp",
    "password in ballast:index:ControlPlane",
    "rotatorPassword in azure-native:app:ContainerApp",
    "rotatorPassword in ballast:index:ControlPlane",
    "secrets in azure-native:app:ContainerApp",
    "serverPassword in azure-native:dbforpostgresql:Server",
    "serverPassword in ballast:index:JournalDatabase",
  ]);
});

test("every argument of a component whose name means a secret is tried above", () => {
  const files = readdirSync("components", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const named = files.flatMap((file) =>
    [...readFileSync(path.join("components", file), "utf8").matchAll(/^ *readonly (\w+)\??:/gm)]
      .map(([, name]) => name!)
      .filter((name) => /password|secret|token|credential|apikey|notify|webhook|signing/i.test(name))
      .map((name) => `${file} ${name}`),
  );
  expect(named.toSorted()).toEqual([
    "canary-app/app-scope.ts secrets", // as read from the live app
    "canary-app/canary-app.ts credentialSlots", // names of secrets
    "canary-app/canary-app.ts credentials", // references, without any value
    "canary-app/http-app.ts secretVariables", // names of secrets
    "canary-app/http-app.ts secrets", // into the configuration of a CanaryApp, as above
    "canary-app/take-over.ts credentialSlots", // names of secrets
    "credentials/credential.ts credential", // its name
    "credentials/database-credential.ts credential", // its name
    "credentials/database-credential.ts credential", // its name
    "platform/control-plane-variables.ts credentials", // declarations without any password
    "platform/control-plane-variables.ts notify", // of ControlPlane, as below
    "platform/control-plane-variables.ts rotatorPassword", // of ControlPlane, as below
    "platform/control-plane.ts credentials", // declarations without any password
    "platform/control-plane.ts notify",
    "platform/control-plane.ts password",
    "platform/control-plane.ts rotatorPassword",
    "platform/database-role.ts credentials", // names of roles
    "platform/journal-database.ts password",
  ]);
});
