// The runbook that collects diagnostics: what was released and rotated last stands beside what Azure and the database
// show, and whatever cannot be read is said to be missing.
import { expect, test } from "vitest";
import { collectDiagnostics, type DiagnosticsWorld } from "../../../controlplane/performers/collect-diagnostics.ts";
import type { Incident, Rung } from "../../../engines/remediation/vocabulary.ts";

const target = "app/shop/web";
const rung: Rung = { runbook: "collect-diagnostics", approval: "none", credential: "KV/database" };
const act = { kind: "Act", target, rung, key: "k", since: 0, drill: false, incident: {} as Incident } as const;
const streams = ["rollout/shop/web-two/x", "rollout/shop/web/b", "rollout/shop/web/a", "rotation/kv/database/r1"];

/** Collects with parts of the world replaced. */
const evidenceOf = async (more: Partial<DiagnosticsWorld> = {}) => {
  const runbook = collectDiagnostics({
    azure: async () => ["web--2 serves; replicas: 2, restarts: 0"],
    credentials: async () => [],
    sessions: {} as DiagnosticsWorld["sessions"],
    journal: {
      streams: async ({ prefix = "" }) => streams.filter((stream) => stream.startsWith(prefix)),
      show: async (stream) => ({ stream, overview: { summary: { startedAt: 0, message: `said ${stream}` } } }) as never,
    },
    clock: { now: () => 7_200_000 },
    ...more,
  });
  const acted = await runbook.act(act, async () => true);
  return acted.ok ? acted.value.evidence : acted.reason;
};

test("names the last release of the app and the last rotation of the credential, in any letter case", async () =>
  expect(await evidenceOf()).toEqual([
    "web--2 serves; replicas: 2, restarts: 0",
    "the database cannot be read: the credential KV/database is not declared",
    "the last rollout was rollout/shop/web/b, 2h ago: said rollout/shop/web/b",
    "the last rotation was rotation/kv/database/r1, 2h ago: said rotation/kv/database/r1",
  ]));

test("says what cannot be read, and collects the rest", async () => {
  const fails = () => Promise.reject(new Error("the password is hunter2"));
  const found = await evidenceOf({ azure: fails, credentials: fails });
  expect(found).toEqual([
    "Azure cannot be read",
    "the database cannot be read",
    expect.stringContaining("rollout/shop/web/b"),
    expect.stringContaining("rotation/kv/database/r1"),
  ]);
  const none = { streams: async () => [], show: fails };
  expect(await evidenceOf({ journal: none })).toContain("the journal has no rollout of shop/web");
});
