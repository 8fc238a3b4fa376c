// What a kept cloud writes: a request writes what it changed and looks at nothing else, and nothing that changed is
// forgotten.
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { type Ledger, makeLedger } from "../../../emulator/persistence/ledger.ts";
import { openDocuments } from "../../../emulator/persistence/state.ts";
import { type CloudForTests, startCloudForTests } from "../../support/emulator/cloud.ts";
import { clientObjectId, giveRole, hostOf, vaultBody, vaultVersion } from "../../support/emulator/vault.ts";

const seen = vi.hoisted(() => ({ ledgers: [] as unknown[], documents: [] as unknown[] }));
vi.mock(import("../../../emulator/persistence/ledger.ts"), async (original) => {
  const real = await original();
  return {
    ...real,
    makeLedger: () => {
      const ledger = real.makeLedger();
      seen.ledgers.push(ledger);
      return ledger;
    },
  };
});
vi.mock(import("../../../emulator/persistence/state.ts"), async (original) => {
  const real = await original();
  return {
    ...real,
    openDocuments: (where) => {
      const documents = real.openDocuments(where);
      seen.documents.push(documents);
      return documents;
    },
  };
});

let folder: string;
let at: CloudForTests;
let group: string;
const ledger = (): Ledger => seen.ledgers[0] as Ledger;
const looked = (): number => (seen.documents[0] as ReturnType<typeof openDocuments>).looked();
const identity = (index: number): string =>
  `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i${index}?api-version=2023-01-31`;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-ledger-"));
  at = await startCloudForTests({ folder, keep: true });
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/work`;
  await at.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
});
afterAll(async () => {
  await at?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("a write looks at the same few documents among many as among none, and a read at none", async () => {
  const looksOf = async (act: () => Promise<unknown>): Promise<number> => {
    // The settings are looked at by a timer too, so that the least of several tries is the request's own.
    const tries: number[] = [];
    for (let time = 0; time < 5; time += 1) {
      const before = looked();
      await act();
      tries.push(looked() - before);
    }
    return Math.min(...tries);
  };
  const write = () => at.ask("PUT", identity(0), { location: "westeurope", tags: { a: String(Math.random()) } });
  const read = () => at.ask("GET", identity(0));
  const [few, none] = [await looksOf(write), await looksOf(read)];
  for (let index = 1; index <= 150; index += 1) await at.ask("PUT", identity(index), { location: "westeurope" });
  expect([await looksOf(write), await looksOf(read)]).toEqual([few, none]);
  expect([few <= 4, none]).toEqual([true, 0]);
});

test("after every kind of request the file has exactly the documents that the cloud has", async () => {
  const environment = `${group}/providers/Microsoft.App/managedEnvironments/work`;
  const app = `${group}/providers/Microsoft.App/containerApps/shop`;
  const apps = "api-version=2025-07-01";
  const properties = {
    managedEnvironmentId: environment,
    configuration: { activeRevisionsMode: "Multiple", ingress: { external: true, targetPort: 8080 } },
    template: { containers: [{ name: "web", image: "registry.example/web:1" }], scale: { minReplicas: 0 } },
  };
  const put = (more: object = {}) =>
    at.settle("PUT", `${app}?${apps}`, { location: "westeurope", properties: { ...properties, ...more } });
  const revision = async (): Promise<string> =>
    (await at.ask("GET", `${app}?${apps}`)).body.properties.latestRevisionName;
  const vault = `${group}/providers/Microsoft.KeyVault/vaults/kept`;
  const token = await at.tokenFor("https://vault.azure.net");
  const inVault = (method: string, where: string, body?: unknown) =>
    at.ask(method, `${hostOf("kept")}${where}?api-version=7.4`, body, { token });
  const acts: readonly (() => Promise<unknown>)[] = [
    () => at.settle("PUT", `${environment}?${apps}`, { location: "westeurope", properties: {} }),
    () => put(),
    () => put({ template: { containers: [{ name: "web", image: "registry.example/unknown:1" }] } }),
    () => at.settle("PATCH", `${app}?${apps}`, { tags: { a: "b" } }),
    async () => at.ask("POST", `${app}/revisions/${await revision()}/deactivate?${apps}`),
    async () => at.ask("POST", `${app}/revisions/${await revision()}/activate?${apps}`),
    async () => at.ask("POST", "/_emulator/quirks", { "deactivated-keeps-its-entry": false }),
    async () => at.ask("POST", `${app}/revisions/${await revision()}/deactivate?${apps}`),
    () => at.ask("POST", "/_emulator/clock", { at: "2030-01-01T00:00:00Z", rate: 2 }),
    () => at.ask("POST", "/_emulator/deliveries", { to: "http://example.com/", body: "{}", policy: "eventGrid" }),
    () => at.ask("PUT", `${vault}?${vaultVersion}`, vaultBody(at)),
    async () => giveRole(at, vault, "officer", await clientObjectId(at)),
    () => inVault("PUT", "/secrets/a", { value: "x", attributes: { exp: 1_900_000_000 } }),
    () => inVault("DELETE", "/secrets/a"),
    () => at.ask("DELETE", `${vault}?${vaultVersion}`),
    () => at.ask("DELETE", identity(3)),
    () => at.settle("DELETE", `${app}?${apps}`),
    () => at.settle("DELETE", `${group}?api-version=2024-03-01`),
  ];
  for (const [index, act] of acts.entries()) {
    await act();
    await expect.poll(() => differences(), { message: `after act ${index}`, timeout: 5_000 }).toEqual([]);
  }
  expect((await at.ask("GET", "/_emulator/deliveries")).body.deliveries).toMatchObject([{ state: "dropped" }]);
});

/** Lists the documents that differ between the file and the cloud, without the running processes' own marks. */
function differences(): readonly string[] {
  const copy = openDocumentsOf(folder);
  const now = new Map([...ledger().everything()].map(([key, document]) => [key, JSON.stringify(document)] as const));
  const keys = new Set([...copy.keys(), ...now.keys()]);
  return [...keys].filter((key) => copy.get(key) !== now.get(key));
}

/** Reads the documents of a folder without opening the file for writing. */
function openDocumentsOf(where: string): ReadonlyMap<string, string> {
  const aside = mkdtempSync(path.join(tmpdir(), "ballast-ledger-copy-"));
  try {
    cpSync(path.join(where, "documents.jsonl"), path.join(aside, "documents.jsonl"));
    const documents = openDocuments(aside);
    documents.close();
    return new Map([...documents.found].map(([key, document]) => [key, JSON.stringify(document)]));
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

test("changes that could not be written are given back, and written with the next ones", () => {
  const own = makeLedger();
  const state = new Map<string, Body>([["a", { value: 1 }]]);
  own.register({ word: "thing", ids: () => state.keys(), read: (id) => state.get(id), revive: () => undefined });
  own.changed("thing", "a");
  own.changed("thing", "gone");
  const changes = own.take(false);
  expect(changes).toEqual({ put: [["thing a", { value: 1 }]], remove: ["thing gone"] });
  expect(own.take(false)).toEqual({ put: [], remove: [] });
  own.giveBack(changes);
  state.set("a", { value: 2 });
  expect(own.take(false)).toEqual({ put: [["thing a", { value: 2 }]], remove: ["thing gone"] });
});
