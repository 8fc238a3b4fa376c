// The examples of components, run as they are under mocks. They import the
// package by its name, as a user's program does.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { parse } from "yaml";
import * as exported from "../../package.ts";
import { folderOf } from "../../toolchain/package/reference-components.ts";
import { record, valueOf } from "../support/program/mocks.ts";

const components = Object.keys(exported).filter((name) => /^[A-Z]/.test(name)); // the others are functions
const examples = join(import.meta.dirname, "..", "..", "examples");

test.each(components)("the example of %s declares one, and all its outputs become known", async (component) => {
  const folder = join(examples, folderOf(component));
  const { made, declared } = await record(
    async () => (await import(join(folder, "index.ts"))) as Record<string, pulumi.Output<unknown>>,
  );
  expect(declared.filter(({ type, parent }) => type === `ballast:index:${component}` && parent === "")).toHaveLength(1);
  expect(Object.keys(made)).not.toEqual([]);
  for (const [name, output] of Object.entries(made)) expect(await valueOf(pulumi.output(output)), name).toBeTruthy();
  expect(readFileSync(join(folder, "index.ts"), "utf8").split("\n").length).toBeLessThanOrEqual(30);
});

test.each(components)(
  "the example of %s is a project of its own, with Ballast's provider if it uses a resource of that",
  async (component) => {
    const folder = join(examples, folderOf(component));
    const project = parse(readFileSync(join(folder, "Pulumi.yaml"), "utf8")) as {
      name: string;
      runtime: object;
      plugins?: { providers: { name: string; path: string }[] };
    };
    expect(project).toMatchObject({ name: folderOf(component), runtime: { name: "nodejs" } });
    const provider = project.plugins?.providers
      .find(({ name }) => name === "ballast")
      ?.path.replace("./node_modules/ballast/dist/", "");
    const text = readFileSync(join(folder, "index.ts"), "utf8");
    const needsProvider = /new (CanaryApp|\w+Credential|DeliveryWorkflows|RepositoryGuard)\(/.test(text);
    expect(provider !== undefined).toBe(needsProvider);
    if (provider !== undefined)
      expect(existsSync(join(examples, "..", provider, "pulumi-resource-ballast"))).toBe(true);
  },
);
