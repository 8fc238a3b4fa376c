// The repository's stacks, each rendered under mocks from its own file, with the
// placeholders filled in as a reader would.
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { vi } from "vitest";
import { parse } from "yaml";
import { type Declared, record } from "./mocks.ts";
import { stackConfig } from "./stack-config.ts";

export const stacks = ["local", "dev", "prod"] as const;
export type StackName = (typeof stacks)[number];

/** The replacement of each placeholder, by a word in it. */
const answers: readonly (readonly [word: RegExp, answer: string])[] = [
  [/subscription id/, "11111111-2222-3333-4444-555555555555"],
  [/tenant id/, "66666666-7777-8888-9999-000000000000"],
  [/registry/, "ballastexample"],
  [/digest/, "0".repeat(64)],
  [/notified of alerts/, "on-call@example.com"],
  [/approved/, "ann@example.com"],
];

/** Returns a stack's configuration as a program gets it, with only the placeholders replaced. */
export function filledIn(stack: StackName): Record<string, string> {
  const raw = stackConfig(parse(readFileSync(`Pulumi.${stack}.yaml`, "utf8")).config);
  const fill = (value: string): string =>
    value.replace(/<[^<>]+>/g, (placeholder) => answers.find(([word]) => word.test(placeholder))?.[1] ?? placeholder);
  return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, fill(value)]));
}

/** Runs index.ts under mocks for a stack. */
export async function rendered(
  stack: StackName,
  change: Readonly<Record<string, string>> = {},
): Promise<readonly Declared[]> {
  const password = stack === "local" ? { "ballast:databasePassword": "hunter2-hunter2" } : {};
  const secretKeys = Object.keys(password);
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(secretKeys);
  vi.resetModules(); // the program is a module, which would run only at its first import
  const { declared } = await record(async () => {
    pulumi.runtime.setAllConfig({ ...filledIn(stack), ...password, ...change }, secretKeys);
    return await import("../../../index.ts");
  });
  return declared.map((each) => ({ ...each, inputs: unwrapped(each.inputs) as Declared["inputs"] }));
}

const secretSignature = "4dabf18193072939515e22adb298388d";

/** Unwraps secrets, as the Pulumi CLI does before it calls a provider. */
function unwrapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== "object" || value === null) return value;
  if (secretSignature in value) return unwrapped((value as { value?: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unwrapped(each)]));
}
