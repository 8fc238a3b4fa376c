// A stack's configuration as the engine hands it to a program: defaults of Pulumi.yaml filled in, every value a text.
// The real-engine test shows that the engine does the same.
import { readFileSync } from "node:fs";
import { parse } from "yaml";

interface Schema {
  readonly config: { readonly [key: string]: { readonly default?: unknown } };
}

/** Gives the configuration that a program sees for these values of a stack file. */
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
