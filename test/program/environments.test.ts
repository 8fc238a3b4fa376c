// dev, prod and local run one program. Their resources differ only as docs/guides/environments.md says, and every body
// matches Azure's published schema at azure-native's api-version.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { nativeResourceOf } from "../../emulator/provider/resources.ts";
import { idOf, problemOf } from "../../emulator/provider/shape.ts";
import { filledIn, rendered, type StackName, stacks } from "../support/program/environments.ts";
import type { Declared } from "../support/program/mocks.ts";

const page = readFileSync("docs/guides/environments.md", "utf8");
let programs: Readonly<Record<StackName, readonly Declared[]>>;

beforeAll(async () => {
  const entries: [StackName, readonly Declared[]][] = [];
  for (const stack of stacks) entries.push([stack, await rendered(stack)]); // one at a time: a process has one mock
  programs = Object.fromEntries(entries) as typeof programs;
});

/** Returns the rows of the page's table under a heading, cell by cell, without backticks. */
function tableUnder(heading: string): readonly (readonly string[])[] {
  const [, below = ""] = page.split(`\n## ${heading}\n`);
  const rows = below
    .split("\n## ")[0]!
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2);
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

const nameOf = ({ type, name }: Declared): string => `${type} ${name}`;
const azures = (stack: StackName): readonly Declared[] =>
  programs[stack].filter(({ type }) => type.startsWith("azure-native:"));

/** Returns every input's value as JSON by its path. A list's item goes by its name if it has one, else by its index. */
function leaves(value: unknown, path: string): readonly (readonly [path: string, value: string])[] {
  if (typeof value !== "object" || value === null) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, each]) =>
    leaves(each, `${path}.${Array.isArray(value) && each?.name !== undefined ? each.name : key}`),
  );
}
const inputsOf = (stack: StackName): ReadonlyMap<string, string> =>
  new Map(
    programs[stack]
      .filter(({ type }) => !type.startsWith("ballast:") || type.endsWith(":Release"))
      .flatMap(({ name, inputs }) => leaves(inputs, name)),
  );

describe("the set of resources", () => {
  test("is the same in all stacks except for what docs/guides/environments.md lists", () => {
    const everywhere = [...new Set(stacks.flatMap((stack) => programs[stack].map(nameOf)))].sort();
    const found = everywhere.flatMap((name) => {
      const having = stacks.filter((stack) => programs[stack].some((each) => nameOf(each) === name));
      return having.length === stacks.length ? [] : [`${name}: ${having.join(", ")}`];
    });
    const listed = tableUnder("What is not in every stack").map(([resource, where]) => `${resource}: ${where}`);
    expect(found).toEqual([...listed].sort());
    expect(found.length).toBeLessThan(everywhere.length / 2);
  });

  test("has the same parents in all stacks", () => {
    const parents = (stack: StackName) => new Map(programs[stack].map((each) => [nameOf(each), each.parent]));
    const local = parents("local");
    for (const stack of stacks)
      for (const [name, parent] of parents(stack)) expect([name, local.get(name) ?? parent]).toEqual([name, parent]);
  });
});

describe("the bodies", () => {
  test.each(stacks)("of %s match Azure's schemas at azure-native's api-versions", (stack) => {
    const problems = azures(stack).map((each) => {
      const resource = nativeResourceOf(each.type);
      if (resource === undefined) return `${nameOf(each)}: the emulator does not serve it`;
      expect(idOf(resource, each.inputs, "s"), nameOf(each)).not.toContain("undefined");
      return problemOf(resource, each.inputs);
    });
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
    expect(problems.length).toBeGreaterThan(10);
  });

  test("are refused with a property or an enumeration value that the api-version does not have", () => {
    const [environment, server] = ["apps-environment", "journal-server"].map(
      (name) => azures("prod").find((each) => each.name === name)!,
    ) as [Declared, Declared];
    expect(problemOf(nativeResourceOf(environment.type)!, { ...environment.inputs, zonesRedundant: true })).toContain(
      "zonesRedundant",
    );
    expect(problemOf(nativeResourceOf(server.type)!, { ...server.inputs, highAvailability: { mode: 3 } })).toContain(
      "highAvailability",
    );
  });

  test("are validated at the api-versions that the installed azure-native uses", () => {
    for (const { type } of [...azures("dev"), ...azures("prod"), ...azures("local")]) {
      const [, module, name] = type.split(":") as [string, string, string];
      const file = `node_modules/@pulumi/azure-native/${module}/${name[0]!.toLowerCase()}${name.slice(1)}.d.ts`;
      expect([type, /Uses Azure REST API version ([\w-]+?)\./.exec(readFileSync(file, "utf8"))?.[1]]).toEqual([
        type,
        nativeResourceOf(type)?.apiVersion,
      ]);
    }
  });
});

describe("prod", () => {
  test("differs from dev only in the values that docs/guides/environments.md lists", () => {
    const [dev, prod] = [inputsOf("dev"), inputsOf("prod")];
    const differing = [...new Set([...dev.keys(), ...prod.keys()])].filter((path) => dev.get(path) !== prod.get(path));
    const patterns = tableUnder("What differs between dev and prod").map(([where = "", key = ""]) => ({
      where,
      key,
      pattern: new RegExp(
        `^(?:${where
          .split(", ")
          .map((each) => each.replaceAll(".", "\\.").replaceAll("*", ".*"))
          .join("|")})(?:\\.|$)`,
      ),
    }));
    expect(differing.filter((path) => !patterns.some(({ pattern }) => pattern.test(path)))).toEqual([]);
    for (const { where, pattern } of patterns)
      if (where !== "none") expect([where, differing.some((path) => pattern.test(path))]).toEqual([where, true]);
  });

  test("differs from dev in exactly the keys that the page names", () => {
    const [dev, prod] = [filledIn("dev"), filledIn("prod")];
    const keys = [...new Set([...Object.keys(dev), ...Object.keys(prod)])]
      .filter((key) => dev[key] !== prod[key])
      .sort();
    expect(keys).toEqual(
      [...new Set(tableUnder("What differs between dev and prod").flatMap(([, key = ""]) => key.split(", ")))].sort(),
    );
  });

  test("has its replicas, zones and retention in the fields that Azure reads", () => {
    const of = (name: string) => programs.prod.find((each) => each.name === name)!.inputs;
    expect(of("storefront-app")["template"].scale).toEqual({ minReplicas: 3, maxReplicas: 30 });
    expect(of("control-plane-app")["template"].scale).toEqual({ minReplicas: 2, maxReplicas: 3 });
    expect(of("apps-environment")).toMatchObject({
      zoneRedundant: true,
      vnetConfiguration: { infrastructureSubnetId: "network-environment-subnet-id", internal: false },
    });
    expect(of("journal-server")).toMatchObject({
      network: { publicNetworkAccess: "Disabled" },
      sku: { name: "Standard_D2ds_v5", tier: "GeneralPurpose" },
      highAvailability: { mode: "ZoneRedundant" },
      backup: { backupRetentionDays: 35 },
    });
    expect(of("apps-workspace")).toMatchObject({ retentionInDays: 90 });
    expect(of("storefront-release")).toMatchObject({ strategy: { weights: [1, 5, 25, 50], bakeSeconds: 900 } });
  });
});

test("tiers and retention are as the page's table says", () => {
  const said = tableUnder("What is kept, and for how long");
  const found = (["dev", "prod"] as const).map((stack) => {
    const of = (name: string) => programs[stack].find((each) => each.name === name)!.inputs;
    const { sku, backup, highAvailability, network } = of("journal-server");
    return [
      stack,
      sku.tier,
      sku.name,
      `${backup.backupRetentionDays} days`,
      backup.geoRedundantBackup === "Disabled" ? "no" : "yes",
      highAvailability.mode === "ZoneRedundant" ? "yes" : "no",
      network.publicNetworkAccess === "Disabled" ? "private" : "public",
      `${of("apps-workspace")["retentionInDays"]} days`,
    ];
  });
  expect(said).toEqual(found);
});
