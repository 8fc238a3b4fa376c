// The patch that makes a rotation's revision, and the apps for which there is none.
import type { ContainerApp, Revision } from "@azure/arm-appcontainers";
import { expect, it } from "vitest";
import { patchFor } from "../../../controlplane/adapters/azure/repoint.ts";

const url = (name: string, version: string): string => `https://kv.vault.azure.net/secrets/${name}/${version}`;
const purpose = { secret: "database-b", replaces: "database-a", url: url("database-b", "2") };
const app = {
  location: "westeurope",
  configuration: {
    secrets: [
      { name: "database-a", keyVaultUrl: url("database-a", "1"), identity: "system" },
      { name: "database-b", keyVaultUrl: url("database-b", "1"), identity: "system" },
    ],
  },
  template: { containers: [{ name: "web", image: "web:3" }] },
};
const serving = {
  template: {
    revisionSuffix: "old",
    containers: [
      {
        name: "web",
        image: "web:2",
        env: [
          { name: "DATABASE_URL", secretRef: "database-a" },
          { name: "MODE", value: "fast" },
        ],
      },
    ],
    initContainers: [{ name: "migrate", image: "web:2", env: [{ name: "DATABASE_URL", secretRef: "database-a" }] }],
    scale: { minReplicas: 1 },
  },
};

it("is the serving revision's template with the other secret, and all secrets of the app", () => {
  expect(patchFor(app, serving, "web--b-r1-1", purpose)).toEqual({
    ok: true,
    value: {
      location: "westeurope",
      configuration: {
        secrets: [
          { name: "database-a", keyVaultUrl: url("database-a", "1"), identity: "system" },
          { name: "database-b", keyVaultUrl: url("database-b", "2"), identity: "system" },
        ],
      },
      template: {
        revisionSuffix: "b-r1-1",
        containers: [
          {
            name: "web",
            image: "web:2",
            env: [
              { name: "DATABASE_URL", secretRef: "database-b" },
              { name: "MODE", value: "fast" },
            ],
          },
        ],
        initContainers: [{ name: "migrate", image: "web:2", env: [{ name: "DATABASE_URL", secretRef: "database-b" }] }],
        scale: { minReplicas: 1 },
      },
    },
  });
});

it("moves the role of a slot with its password", () => {
  const names = (slot: string) => [
    { name: "PGUSER", secretRef: `database-${slot}-user` },
    { name: "PGPASSWORD", secretRef: `database-${slot}` },
    { name: "OTHER", secretRef: "database-a-users" },
  ];
  const apart = { template: { containers: [{ name: "web", image: "web:2", env: names("a") }] } };
  const patch = patchFor(app, apart, "web--b-r1-1", purpose);
  expect(patch.ok && patch.value.template?.containers?.[0]?.env).toEqual(names("b"));
});

it("leaves an app after thirty rotations with its two secrets, and thirty old revisions name no other", () => {
  let [live, revision]: [ContainerApp, Revision] = [app, serving];
  const old: Revision[] = [];
  for (let rotation = 1; rotation <= 30; rotation++) {
    const [to, from] = rotation % 2 === 1 ? ["b", "a"] : ["a", "b"];
    const moved = { secret: `database-${to}`, replaces: `database-${from}`, url: url(`database-${to}`, `${rotation}`) };
    const patch = patchFor(live, revision, `web--${to}-r${rotation}-1`, moved);
    if (!patch.ok) throw new Error(patch.reason);
    old.push(revision);
    [live, revision] = [{ ...live, ...patch.value }, patch.value];
  }
  const secrets = live.configuration!.secrets!;
  expect(secrets.map(({ keyVaultUrl }) => keyVaultUrl)).toEqual([url("database-a", "30"), url("database-b", "29")]);
  const named = old.flatMap(({ template }) => template!.containers!.flatMap(({ env = [] }) => env));
  const references = named.flatMap(({ secretRef }) => secretRef ?? []);
  expect(references).toHaveLength(30);
  expect(new Set(references)).toEqual(new Set(secrets.map(({ name }) => name)));
});

it.each([
  [
    "holds a secret by value",
    { ...app, configuration: { secrets: [...app.configuration.secrets, { name: "registry" }] } },
    serving,
    "the app holds the secret registry by value; make it a reference to a vault first",
  ],
  [
    "lacks the other slot",
    { ...app, configuration: { secrets: app.configuration.secrets.slice(0, 1) } },
    serving,
    "the app has no secret database-b; declare both slots of the credential",
  ],
  [
    "serves with no variable of the credential",
    app,
    { template: app.template },
    "no variable of the serving revision names the secret database-a",
  ],
])("does not exist for an app that %s", (_what, live, revision, reason) =>
  expect(patchFor(live, revision, "web--b-r1-1", purpose)).toEqual({ ok: false, reason }),
);
