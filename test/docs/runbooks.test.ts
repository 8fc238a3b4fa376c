// Runs the runbooks: each block of commands on the page, line by line, in the situation that its place on the page is
// for. The control plane has canned answers, the cloud is the emulator, and the Pulumi CLI is a script with the stack's
// outputs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { goOnCall, type OnCall, type Situation } from "../support/docs/on-call.ts";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "guides", "runbooks.md"), "utf8");

/** The situation of each block of a chapter, in the order of the page. */
const situations: Readonly<Record<string, readonly Situation[]>> = {
  "Stuck rollout": ["in flight", "in flight", "in flight", "in flight", "in flight", "rolled back"],
  "Lost control plane": ["gone", "back", "in flight", "rolled back"],
  "Wrong verdict": ["rolled back", "rolled back", "in flight", "in flight", "in flight"],
  "Rollback blocked": ["degraded", "in flight", "degraded", "in flight"],
  "Failing app": ["in flight", "in flight", "rolled back"],
  "Harmful remediation": ["remediating", "remediating", "remediating"],
};

interface Block {
  readonly chapter: string;
  readonly place: number;
  readonly commands: readonly string[];
}

/** Gives the blocks of the page with the chapter that each is in. */
const blocks: readonly Block[] = page
  .split(/^## /m)
  .slice(1)
  .flatMap((text) =>
    [...text.matchAll(/^```\n([^]*?)^```$/gm)].map(([, lines], place) => ({
      chapter: text.split("\n")[0]!,
      place,
      commands: lines!.trim().split("\n"),
    })),
  );

let cloud: CloudForTests;
let onCall: OnCall;
beforeAll(async () => {
  cloud = await startCloudForTests();
});
afterAll(() => cloud?.close());
beforeEach(async () => {
  onCall = await goOnCall(cloud);
});
afterEach(() => onCall.close());

test("the page has exactly the chapters and blocks that are run here, and no command outside of a block", () => {
  expect(
    Object.fromEntries(
      Object.keys(situations).map((chapter) => [chapter, blocks.filter((block) => block.chapter === chapter).length]),
    ),
  ).toEqual(Object.fromEntries(Object.entries(situations).map(([chapter, each]) => [chapter, each.length])));
  expect(blocks.flatMap(({ commands }) => commands).filter((command) => !command.startsWith("ballast "))).toEqual([]);
  expect(
    [...page.replaceAll(/^```\n[^]*?^```$/gm, "").matchAll(/`(ballast \w[^`]*)`/g)].map(([, command]) => command),
  ).toEqual([]);
});

test.each(blocks)(
  "the commands under $chapter, block $place, have the exit codes that the page gives",
  async ({ chapter, place, commands }) => {
    await onCall.arrange(situations[chapter]![place]!);
    for (const command of commands) {
      const { code, said } = await onCall.inShell(command);
      const [, expected = "0"] = /# exits with (\d)$/.exec(command) ?? [];
      expect(`exit ${code}: ${said}`).toMatch(new RegExp(`^exit ${expected}: `));
      if (expected !== "0") expect(said).toContain("release-control-plane-unreachable");
      const [, signal] = /^ballast release (approve|resume|promote|abort|retry) /.exec(command) ?? [];
      if (signal !== undefined) expect(onCall.plane.asked).toContain("POST /rollouts/rg/storefront/r1/signals");
      const [, ofAll] = /^ballast remediation (pause|resume) --all /.exec(command) ?? [];
      if (ofAll !== undefined) expect(onCall.plane.asked).toContain(`POST /remediations/${ofAll}`);
    }
  },
);
