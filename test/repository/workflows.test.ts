// The laws of this repository's own workflows. GitHub's parser and our own rules judge them; beyond that, a reusable
// workflow keeps its contract: described inputs and outputs, the least permissions with their reasons, a limit of time,
// a lock with a name of its own, actions by commit, and a way back. `npm run test:workflows` runs them.
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { analyze } from "../../analysis/analyze.ts";
import { folderOf } from "../../analysis/folder.ts";
import { rulebook } from "../../analysis/rulebook.ts";
import { rejectionsOf } from "../../analysis/systems/workflows/official.ts";
import { type Contract, levels, readContract } from "../../cli/workflows/contract.ts";
import { callers } from "../../components/workflows/callers.ts";
import type { Delivery } from "../../components/workflows/delivery.ts";
import { compatForm, pins } from "../cli/workflows/stubs.ts";
import { zizmor } from "../cli/workflows/tools.ts";

const root = join(import.meta.dirname, "..", "..");
const files = globSync([".github/workflows/*.yml", ".github/actions/*/action.yml"], { cwd: root }).toSorted();
const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
const workflows = [...texts].filter(([file]) => file.startsWith(".github/workflows/"));
const contracts = new Map(
  workflows.flatMap(([file, text]) => {
    const contract = readContract(file, text);
    return contract === undefined ? [] : [[basename(file), contract] as const];
  }),
);
const reusable = workflows.filter(([file]) => contracts.has(basename(file)));
const jobsOf = (text: string): readonly (readonly [string, any])[] => Object.entries(parse(text).jobs);
const id = "00000000-0000-0000-0000-0000ba11a57e";
const delivery: Delivery = {
  stacks: ["dev", "prod"].map((name) => ({
    name,
    tenantId: id,
    subscriptionId: undefined,
    secrets: ["pulumi-access-token", "pulumi-config-passphrase"],
  })),
  folder: "infra",
  branch: "release/1+",
  project: "shop",
  source: "example/ballast",
  commit: "4f2a9c1d8e0b37a65c1f2d3e4b5a69788796a5b4",
  version: "v0.1.0",
};

/** GitHub's parser has a limit of time, which a busy machine exceeds: what it left unchecked is asked again. */
const attemptsMax = 30;
/** Tests that ask it wait as long as these attempts take. */
const slow = { timeout: 300_000 };

async function findings(all: ReadonlyMap<string, string>): Promise<readonly string[]> {
  for (let attempts = 1; ; attempts += 1) {
    const analysis = await analyze(folderOf(Object.fromEntries(all)), { rules: rulebook, scope: ["github"] });
    if (analysis.graph.notJudged.length > 0 && attempts < attemptsMax) continue;
    expect(analysis.graph.notJudged).toEqual([]);
    return analysis.findings.map(({ rule, place, message }) => `${place.file}:${place.line}  ${rule}  ${message}`);
  }
}

async function rejections(all: Iterable<readonly [string, string]>): Promise<readonly string[]> {
  const found: string[] = [];
  let rest = [...all].map(([file, text]) => ({ file, text }));
  for (let attempts = 1; rest.length > 0; attempts += 1) {
    const { rejected, unchecked } = await rejectionsOf(rest);
    for (const [file, each] of rejected)
      found.push(...each.map(({ place, message }) => `${file}:${place.line}  ${message}`));
    rest = rest.filter(({ file }) => unchecked.some((each) => each.file === file));
    if (attempts === attemptsMax) expect(rest).toEqual([]);
  }
  return found;
}

describe("every workflow", () => {
  test(
    "is accepted by GitHub's own parser, also in the form for runners without the syntax of 2026",
    slow,
    async () => {
      expect(workflows.length).toBeGreaterThan(10);
      expect(await rejections(workflows)).toEqual([]);
      const compatible = workflows.map(([file, text]) => [file, compatForm(text)] as const);
      expect(compatible.filter(([, text]) => /\$\/|queue:/.test(text.replaceAll(/^ *-ignore .*$/gm, "")))).toEqual([]);
      expect(await rejections(compatible)).toEqual([]);
    },
  );

  test("has no finding of our own rules", slow, async () => expect(await findings(texts)).toEqual([]));

  test("names actions by the commits of the pin table, with the version beside, and the table has no other", () => {
    const used = [...texts.values()].flatMap((text) => [...text.matchAll(/uses: ([^$./\s][^\s@]*)@(\S+)(.*)/g)]);
    const wrong = used.filter(([, action, commit, rest]) => {
      const pin = pins[action!];
      return pin?.commit !== commit || rest !== ` # ${pin?.version}`;
    });
    expect(wrong.map(([line]) => line)).toEqual([]);
    expect(new Set(used.map(([, action]) => action))).toEqual(new Set(Object.keys(pins)));
    for (const { commit, version } of Object.values(pins)) expect(`${commit} ${version}`).toMatch(/^[0-9a-f]{40} v\d/);
  });

  test("finds what it names in this repository", () => {
    const own = [...texts.values()].flatMap((text) => [...text.matchAll(/uses: \$\/(\S+)/g)].map(([, path]) => path!));
    expect(own.length).toBeGreaterThan(10);
    const missing = own.filter((path) => !existsSync(join(root, path.endsWith(".yml") ? path : `${path}/action.yml`)));
    expect(missing).toEqual([]);
  });

  test("gives no job a permission by default, and says why it gives one", () => {
    for (const [file, text] of workflows) {
      expect([file, text]).toEqual([file, expect.stringMatching(/^permissions:( \{\}|\n {2}contents: read)$/m)]);
      const given = text.match(/^ {6}[a-z-]+: (read|write)\b.*$/gm) ?? [];
      if (contracts.has(basename(file))) expect(given.filter((line) => !/ # \S/.test(line))).toEqual([]);
    }
  });

  test("limits the time of each job, and puts no text of others into a script", () => {
    for (const [file, text] of workflows)
      for (const [key, job] of jobsOf(text)) {
        if (job.uses === undefined) expect([file, key, job["timeout-minutes"] > 0]).toEqual([file, key, true]);
        const scripts = (job.steps ?? []).flatMap(({ run }: any) => run ?? []);
        expect([file, key, scripts.filter((run: string) => run.includes("${{"))]).toEqual([file, key, []]);
      }
  });

  test("gives a step an id only if something reads it", () => {
    for (const [file, text] of texts) {
      const parsed = parse(text);
      for (const part of Object.values<any>(parsed.jobs ?? { action: { ...parsed.runs, outputs: parsed.outputs } })) {
        const ids = (part.steps ?? []).flatMap((step: any) => step.id ?? []);
        const reads = JSON.stringify(part);
        const unread = ids.filter((each: string) => !reads.includes(`steps.${each}.`));
        expect([file, unread]).toEqual([file, []]);
      }
    }
  });

  test("hands on no secret by inheritance, and keeps no token in the checkout", () => {
    for (const [file, text] of texts) {
      expect([file, text]).toEqual([file, expect.not.stringContaining("secrets: inherit")]);
      const checkouts = text.split("uses: actions/checkout@").slice(1);
      expect([file, checkouts.filter((each) => !/^[^]{0,200}persist-credentials: false/.test(each))]).toEqual([
        file,
        [],
      ]);
    }
  });
});

describe("every reusable workflow", () => {
  test("opens with what it is for, and describes each input, secret and output", () => {
    expect([...contracts.keys()]).toEqual(
      expect.arrayContaining(["pulumi-preview.yml", "pulumi-up.yml", "rollback.yml"]),
    );
    for (const [file, { purpose, inputs, secrets, outputs }] of contracts) {
      expect([file, purpose]).toEqual([file, expect.stringMatching(/^[A-Z].{40,}\.$/)]);
      for (const [name, { description }] of [...inputs, ...secrets, ...outputs])
        expect([file, name, description]).toEqual([file, name, expect.stringMatching(/^[A-Z].*\.$/)]);
      expect([file, outputs.size > 0]).toEqual([file, true]);
    }
  });

  test("has no secret that a caller must give: Azure trusts the token of the run", () => {
    for (const [file, { secrets }] of contracts)
      expect([file, [...secrets].filter(([, { isRequired }]) => isRequired)]).toEqual([file, []]);
  });

  test("checks out the commit of the run, or the one that it was told, and no branch", () => {
    for (const [file, text] of reusable) {
      const refs = [...text.matchAll(/uses: actions\/checkout@.*\n +with:\n +ref: (.*)/g)].map(([, ref]) => ref);
      expect([file, refs.length]).toEqual([file, text.split("actions/checkout@").length - 1]);
      for (const ref of refs) expect(["${{ github.sha }}", "${{ inputs.commit }}"]).toContain(ref);
    }
  });

  test("names a lock by itself: the name of the caller would lock a run against itself", () => {
    const groups = reusable.flatMap(([file, text]) => {
      expect([file, text]).toEqual([file, expect.not.stringContaining("github.workflow }}")]);
      return jobsOf(text).flatMap(([key, { concurrency }]) => (concurrency ? [[file, key, concurrency] as const] : []));
    });
    for (const [file, key, { group }] of groups)
      expect([file, key, group]).toEqual([file, key, expect.stringMatching(/^[a-z-]+($|-\$\{\{ inputs\.\w+ \}\})/)]);
  });

  test("keeps two projects of one repository apart, whose stacks have one name", () => {
    const shared = reusable.flatMap(([file, text]) => {
      if (!text.includes("      working-directory:\n        description")) return [];
      const names = jobsOf(text).flatMap(([, { concurrency, outputs = {}, steps = [] }]) => [
        ...(concurrency?.group.includes("inputs.stack") ? [[concurrency.group, "inputs.working-directory"]] : []),
        [outputs["evidence-artifact"] ?? "", "inputs.stack"],
        ...steps.flatMap(({ uses = "", with: given = {} }: any) => [
          ...(uses.includes("/keep-issue") ? [[given["working-directory"] ?? "", "inputs.working-directory"]] : []),
          ...(uses.includes("/upload-artifact") ? [[given.name, "inputs.stack"]] : []),
        ]),
      ]);
      return names
        .filter(([name, needed]) => name.includes("inputs.stack") || needed === "inputs.working-directory")
        .filter(([name]) => !/inputs\.working-directory|set-up\.outputs\.suffix/.test(name))
        .map(([name]) => [basename(file), name]);
    });
    expect(shared).toEqual([]);
  });

  test("that changes a stack waits for its turn, is never cancelled, and has a way back with the same lock", () => {
    const changing = reusable.flatMap(([file, text]) =>
      jobsOf(text)
        .filter(([, { steps }]) => steps.some(({ run = "" }: any) => /^pulumi up /m.test(run)))
        .map(([, job]) => ({ file: basename(file), ...job })),
    );
    expect(changing.map(({ file }) => file)).toEqual(["pulumi-up.yml", "rollback.yml"]);
    for (const { concurrency, environment } of changing) {
      expect(concurrency).toEqual({
        group: "pulumi-up-${{ inputs.stack }}-${{ inputs.working-directory }}",
        "cancel-in-progress": false,
        queue: "max",
      });
      expect(environment).toBe("${{ inputs.environment }}");
    }
  });

  test("that can fail without a pull request keeps one issue by a key of its own", () => {
    const keys = reusable.flatMap(([file, text]) => {
      const [, key] = /keep-issue\n[^]*?key: ([a-z-]+)/.exec(text) ?? [];
      return key === undefined ? [] : [[basename(file, ".yml"), key]];
    });
    expect(keys.map(([file]) => file)).toEqual([
      "alert-drill",
      "credential-back",
      "credential-rotate",
      "db-migrate",
      "drift-detect",
      "improve-orchestration",
      "policy-nightly",
      "pulumi-up",
      "release",
      "rollback",
    ]);
    for (const [file, key] of keys) expect(key).toBe(file);
  });

  test("that keeps an issue runs one at a time, so two failures open one issue; what helps at once never waits", () => {
    const waitsNot = new Map([
      ["credential-back.yml", "back"], // what is taken back must not wait for what it takes back
      ["release.yml", "follow"], // it changes nothing, and each run follows the release of its own time
    ]);
    const unlocked = reusable.flatMap(([file, text]) =>
      jobsOf(text)
        .filter(([, { steps, concurrency }]) => !concurrency && JSON.stringify(steps).includes("/keep-issue"))
        .map(([key]) => [basename(file), key] as const),
    );
    expect(unlocked).toEqual([...waitsNot]);
  });

  test("that brings zizmor pins a wheel that `npm run test:workflows` pins", () => {
    const text = texts.get(".github/workflows/workflow-lint.yml")!;
    const [, version, hash] = /zizmor==(\S+) --hash=sha256:([0-9a-f]{64})/.exec(text) ?? [];
    expect([version, zizmor.hashes]).toEqual([zizmor.version, expect.arrayContaining([hash])]);
  });
});

/** Says what is wrong with a call of a reusable workflow. */
function complaints(key: string, job: any, contract: Contract | undefined): readonly string[] {
  if (contract === undefined) return [`${key} calls what is no reusable workflow: ${job.uses}`];
  const given = Object.keys(job.with ?? {});
  const secrets = Object.keys(job.secrets ?? {});
  const granted = (scope: string): number => levels.indexOf(job.permissions?.[scope] ?? "none");
  return [
    ...given.filter((name) => !contract.inputs.has(name)).map((name) => `${key} gives ${name}, which is no input`),
    ...secrets.filter((name) => !contract.secrets.has(name)).map((name) => `${key} gives ${name}, which is no secret`),
    ...[...contract.inputs]
      .filter(([name, { isRequired }]) => isRequired && !given.includes(name))
      .map(([name]) => `${key} does not give ${name}`),
    ...[...contract.permissions!]
      .filter(([scope, level]) => granted(scope) < levels.indexOf(level))
      .map(([scope]) => `${key} does not grant ${scope}`),
    ...Object.keys(job.permissions ?? {})
      .filter((scope) => granted(scope) > levels.indexOf(contract.permissions!.get(scope) ?? "none"))
      .map((scope) => `${key} grants ${scope}, which nothing needs`),
  ];
}
const calls = (all: Iterable<readonly [string, string]>): readonly string[] =>
  [...all].flatMap(([, text]) =>
    jobsOf(text)
      .filter(([, { uses }]) => uses !== undefined)
      .flatMap(([key, job]) => complaints(key, job, contracts.get(basename(job.uses.split("@")[0])))),
  );

describe("a caller", () => {
  const everything = { ...delivery, has: ["credentials", "migrations"] } as const;
  const written = [...callers(everything)].map(([name, text]) => [`.github/workflows/${name}`, text] as const);

  test("of this repository fits the contract of what it calls", () => expect(calls(workflows)).toEqual([]));

  test(
    "that `ballast workflows init` writes fits too, GitHub accepts it, and our rules find nothing",
    slow,
    async () => {
      expect([callers(delivery).size, written.length]).toEqual([3, 5]);
      expect(calls(written)).toEqual([]);
      expect(await rejections(written)).toEqual([]);
      expect(await findings(new Map(written))).toEqual([]);
    },
  );

  test("that gives too little, too much or another input is found", () => {
    const preview = (edit: (text: string) => string): readonly string[] =>
      calls(written.map(([file, text]) => [file, edit(text)] as const)).filter((each) =>
        each.startsWith("shop-preview-dev"),
      );
    expect(preview((text) => text.replace("      stack: dev\n", ""))).toEqual(["shop-preview-dev does not give stack"]);
    expect(preview((text) => text.replace("stack: dev", "stak: dev"))).toEqual([
      "shop-preview-dev gives stak, which is no input",
      "shop-preview-dev does not give stack",
    ]);
    expect(preview((text) => text.replace("pull-requests: write", "issues: write"))).toEqual([
      "shop-preview-dev does not grant pull-requests",
      "shop-preview-dev grants issues, which nothing needs",
    ]);
  });
});
