// The stacks that the repository has, each rendered under mocks from its own file with its placeholders filled in, as a reader would.
// It knows no resource; what is to be so is in the tests.
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { vi } from "vitest";
import { parse } from "yaml";
import { type Declared, record } from "./mocks.ts";
import { stackConfig } from "./stack-config.ts";

export const stacks = ["local", "dev", "prod"] as const;
export type StackName = (typeof stacks)[number];

/** What a reader writes in place of a placeholder, by a word of it. */
const answers: readonly (readonly [word: RegExp, answer: string])[] = [
  [/subscription id/, "11111111-2222-3333-4444-555555555555"],
  [/tenant id/, "66666666-7777-8888-9999-000000000000"],
  [/registry/, "ballastexample"],
  [/digest/, "0".repeat(64)],
  [/told of alerts/, "on-call@example.com"],
  [/approved/, "ann@example.com"],
];

/** Gives the configuration that a program sees of a stack whose placeholders, and nothing else, were replaced. */
export function filledIn(stack: StackName): Record<string, string> {
  const raw = stackConfig(parse(readFileSync(`Pulumi.${stack}.yaml`, "utf8")).config);
  const fill = (value: string): string =>
    value.replace(/<[^<>]+>/g, (placeholder) => answers.find(([word]) => word.test(placeholder))?.[1] ?? placeholder);
  return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, fill(value)]));
}

/** Carries index.ts out under mocks for a stack. */
export async function rendered(
  stack: StackName,
  change: Readonly<Record<string, string>> = {},
): Promise<readonly Declared[]> {
  const password = stack === "local" ? { "ballast:databasePassword": "hunter2-hunter2" } : {};
  const secretKeys = Object.keys(password);
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(secretKeys);
  vi.resetModules(); // the program is a module: once imported it would never run again
  const { declared } = await record(async () => {
    pulumi.runtime.setAllConfig({ ...filledIn(stack), ...password, ...change }, secretKeys);
    return await import("../../../index.ts");
  });
  return declared.map((each) => ({ ...each, inputs: inTheClear(each.inputs) as Declared["inputs"] }));
}

const secretSignature = "4dabf18193072939515e22adb298388d";

/** Takes secrets out of their envelopes, as the engine does before a provider gets them. */
function inTheClear(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inTheClear);
  if (typeof value !== "object" || value === null) return value;
  if (secretSignature in value) return inTheClear((value as { value?: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inTheClear(each)]));
}
