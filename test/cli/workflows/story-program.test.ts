// What the story of `npm run story` delivers, without act: its project declares the app and the alert, whose trace is
// that of the app's release, and the platform's policy is about that very alert.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { objectionsToPolicy } from "../../../engines/remediation/policy.ts";
import { record } from "../../support/program/mocks.ts";
import { filesOf, policyIn } from "./story-program.ts";

const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";
const platform = { scope, controlPlane: "http://127.0.0.1:1" };

test("both releases are the same code, and only the second has the fault", () => {
  const [good, bad] = [filesOf(platform, 1, false), filesOf(platform, 2, true)].map((files) => files["index.js"]!);
  expect(good).not.toContain("FAULT");
  expect(bad!.replace(/,\s+"FAULT\w*": "\w+"/g, "").replace('"RELEASE": "2"', '"RELEASE": "1"')).toBe(good);
  expect(parse(filesOf(platform, 1, false)["Pulumi.yaml"]!)).toMatchObject({ name: "shop", main: "index.js" });
});

test("the policy of the platform can help, and is about the alert that the project declares", async () => {
  const policy = policyIn(scope);
  expect(objectionsToPolicy(policy)).toEqual([]);
  const folder = mkdtempSync(join(tmpdir(), "ballast-story-program-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "index.mjs");
  const ballast = join(import.meta.dirname, "..", "..", "..", "package.ts");
  writeFileSync(file, filesOf(platform, 1, false)["index.js"]!.replace('from "ballast"', `from "${ballast}"`));
  const { declared } = await record(() => import(file));
  const inputsOf = (type: string) => declared.find((each) => each.type.endsWith(type))?.inputs;
  const rule = inputsOf(":ScheduledQueryRule");
  expect(rule).toMatchObject({ ruleName: policy.rule });
  expect(rule?.["actions"].customProperties).toMatchObject({ trace: "4bf92f3577b34da6a3ce929d0e0e4736" });
  expect(inputsOf(":ContainerApp")).toMatchObject({ containerAppName: "shop" });
});
