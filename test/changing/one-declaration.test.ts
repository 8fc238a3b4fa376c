// A limit of the judge, a field of a release and a signal are one declaration each. The three are added to a clone by
// small patches to their declarations and to the lines that use them. The clone compiles, and declarations.ts shows
// that the API, its description, the provider, the configuration, plan files, journals and the reference have them.
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cloneInto } from "../support/repository/clone.ts";
import { readRepository } from "../support/repository/source.ts";

const root = join(import.meta.dirname, "..", "..");
const inClone = "test/changing/declarations.test.ts";

/** Each patch: a file, a text in it, and what is put before that text. */
const declarations: readonly (readonly [file: string, before: string, text: string])[] = [
  [
    "engines/rollout/intent.ts",
    "  stableFailurePercentMax: limit({",
    `  ceilingFailuresMin: limit({
    least: 1,
    most: 1000,
    whole: true,
    otherwise: 3,
    description: "The least number of failed answers for the ceiling to count.",
    caution: above(900, () => "an outage of few requests is not aborted."),
  }),
`,
  ],
  [
    "engines/rollout/intent.ts",
    "  gate: optional(gateForm),",
    '  note: optional(line(80, { description: "What people should know about the release." })),\n',
  ],
  [
    "engines/rollout/signals.ts",
    "  retry: {",
    '  rest: { description: "let a rollout rest", exampleMessage: "it has worked hard", sent: "rested" },\n',
  ],
];
const uses: typeof declarations = [
  [
    "engines/rollout/judge/judge.ts",
    "requests >= ceilingRequests && failed >= badRequestsMin",
    "failed >= thresholds.ceilingFailuresMin && ",
  ],
  [
    "engines/rollout/decisions/fact-of.ts",
    '    case "abort":\n    case "supersede":\n      return decided;',
    '    case "rest":\n',
  ],
  ["engines/rollout/evolve.ts", '    case "abort":\n      return state;', '    case "rest":\n'],
];

let clone: string;
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), "ballast-changed-"));
  cloneInto(clone);
  for (const [file, before, text] of [...declarations, ...uses]) {
    const source = readFileSync(join(clone, file), "utf8");
    expect([file, source.split(before).length]).toEqual([file, 2]);
    writeFileSync(
      join(clone, file),
      source.replace(before, () => text + before),
    );
  }
  copyFileSync(join(clone, "test/changing/declarations.ts"), join(clone, inClone));
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

/** Runs a tool of the clone, without the variables that vitest sets for its workers. */
function ran(
  tool: string,
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly said: string }> {
  const { FORCE_COLOR: _force, ...inherited } = process.env;
  const env = Object.fromEntries(
    Object.entries({ ...inherited, NO_COLOR: "1" }).filter(([name]) => !/^VITEST|^TEST$|^NODE_ENV$/.test(name)),
  );
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; said: string }>();
  const child = spawn(join(clone, "node_modules", ".bin", tool), args, { cwd: clone, env });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => {
      said += text.toString();
    });
  child.on("close", (code) => resolve({ code, said }));
  return promise;
}

test("a limit, a field and a signal are added by their declarations and their uses alone", {
  timeout: 180_000,
}, async () => {
  const [types, behaviour] = await Promise.all([ran("tsc", "--noEmit"), ran("vitest", "run", inClone)]);
  expect([types.code, types.said]).toEqual([0, ""]);
  expect(behaviour, behaviour.said).toMatchObject({ code: 0, said: expect.stringMatching(/Tests +14 passed/) });
  const was = new Map(readRepository(root).map(({ path, text }) => [path, text]));
  const changed = readRepository(clone).filter(({ path, text }) => was.get(path) !== text && path !== inClone);
  expect(changed.map(({ path }) => path).toSorted()).toEqual(
    [...new Set([...declarations, ...uses].map(([file]) => file))].toSorted(),
  );
});
