// A stack's configuration as the Pulumi CLI hands it to a program: with the defaults of Pulumi.yaml, and every value a
// string. The tests with the real Pulumi CLI show that it does the same.
import { readFileSync } from "node:fs";
import { parse } from "yaml";

interface Schema {
  readonly config: { readonly [key: string]: { readonly default?: unknown } };
}

/** Returns the configuration that a program gets for these values of a stack's file. */
export function stackConfig(values: { readonly [key: string]: unknown }): Record<string, string> {
  const { config } = parse(readFileSync("Pulumi.yaml", "utf8")) as Schema;
  const defaults = Object.entries(config)
    .filter(([, { default: value }]) => value !== undefined)
    .map(([key, { default: value }]) => [`ballast:${key}`, value]);
  return Object.fromEntries(
    [...defaults, ...Object.entries(values)].map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}
