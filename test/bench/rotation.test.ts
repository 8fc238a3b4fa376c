// The arithmetic of the benchmark of rotations: what a run counts, the row of each order, and its place on the page.
// The orders themselves run against a server only when the benchmark does.
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { otherOrders } from "../../bench/rotation/orders.ts";
import { asRun, renderRuns, withRuns } from "../../bench/rotation/page.ts";
import type { Hands, OrderRun } from "../../demo/rotation/other-order.ts";

const measured = { day: "2026-01-05", runs: 3, cores: 2, load: 1.6 };
const runOf = (failedLogins: number, more: Partial<OrderRun> = {}): OrderRun => ({
  logins: 400,
  failedLogins,
  cutQueries: 0,
  passwordChanges: 1,
  outageSeconds: failedLogins / 10,
  adoptionSeconds: 4.25,
  seconds: 0.3,
  ...more,
});
const page = readFileSync(path.join(import.meta.dirname, "..", "..", "docs", "evidence", "rotation.md"), "utf8");

it("shows the median, the quartiles, and the least and the most of each order", () => {
  const results = new Map([
    ["ours", [runOf(0), runOf(0), runOf(0)]],
    ["theirs", [runOf(90), runOf(100), runOf(140)]],
  ]);
  const part = renderRuns(results, measured);
  expect(part).toContain("Measured on 2026-01-05 with 3 runs of each order, on 2 cores with a load\naverage of 2.");
  expect(part.split("\n").filter((line) => line.startsWith("|"))).toEqual([
    "| order | logins a run | failed logins | cut queries | outage, s | adoption, s | duration, s |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    "| ours | 400 | 0 | 0 | 0.0 | 4.3 | 0.3 |",
    "| theirs | 400 | 100 (95 to 120; 90 to 140) | 0 | 10.0 (9.5 to 12.0; 9.0 to 14.0) | 4.3 | 0.3 |",
  ]);
});

const rotated = {
  name: { vault: "kv", credential: "database", rotation: "r1" },
  result: "rotated",
  reason: "rotated",
  message: "",
  seconds: 80,
  secondsOfSteps: {},
  logins: 4_000,
  cutQueries: 2,
  adoption: { app: 30, readers: { one: 1.5, other: 3.5 } },
  written: { slotVersions: 2, published: 1, passwordChanges: 2 },
  found: { slotVersions: 2, published: 1, passwordChanges: 3 },
};
const failure = (at: number) => ({ at, who: "one", user: "shop_a", code: "28P01" });

it.each([
  ["none", [], 0],
  ["one", [1_000], 0],
  ["three", [4_500, 1_000, 2_000], 3.5],
])("of a rotation of ours with %s failed logins, counts the outage from the first to the last", (_n, at, outage) =>
  expect(asRun({ ...rotated, failedLogins: at.map(failure) })).toEqual({
    logins: 4_000,
    failedLogins: at.length,
    cutQueries: 2,
    passwordChanges: 3,
    outageSeconds: outage,
    adoptionSeconds: 3.5,
    seconds: 80,
  }),
);

it("replaces its part of the page and nothing else, and refuses a page without one", () => {
  const once = withRuns(page, "new part\n");
  expect(once).toContain("<!-- bench:rotation -->\nnew part\n<!-- /bench:rotation -->");
  expect(withRuns(once, "new part\n")).toBe(once);
  const outside = (text: string) => text.replace(/<!-- bench:rotation -->[^]*<!-- \/bench:rotation -->/, "");
  expect(outside(once)).toBe(outside(page));
  expect(() => withRuns("# Nothing", "new part\n")).toThrow("no part of the benchmark");
});

/** What each order writes, in its order: `database role` for a password on the server, `vault role` for the secret. */
it("the other orders write as their tools do", async () => {
  const written = await Promise.all(
    otherOrders.map(async ({ name, rotate }) => {
      const steps: string[] = [];
      const passwords = new Map<string, Set<string>>();
      const note = (where: string) => async (role: "one" | "other", password: string) => {
        steps.push(`${where} ${role}`);
        passwords.set(role, (passwords.get(role) ?? new Set()).add(password));
      };
      const hands: Hands = { setPassword: note("database"), publish: note("vault"), rest: async () => undefined };
      await rotate(hands);
      // Both sides get the same password, or every login would fail for good.
      expect([...passwords.values()].map(({ size }) => size)).toEqual([...passwords].map(() => 1));
      return [name, steps];
    }),
  );
  expect(Object.fromEntries(written)).toEqual({
    "Microsoft's sample, the vault first": ["vault one", "database one"],
    "AWS, single user": ["database one", "vault one"],
    "two users without a gate, twice": ["database other", "vault other", "database one", "vault one"],
    "Vault, static role": ["database one", "vault one"],
  });
});

it("the page has a row for ours and for every other order", () => {
  for (const { name } of otherOrders) expect(page).toContain(`| ${name} |`);
  expect(page).toContain("| Ballast, two slots behind gates |");
});
