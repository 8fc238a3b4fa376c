// The whole demo with the real Pulumi CLI, real processes and real load: the standard story as a person runs it, then
// the faults of a seed that is new in each run and printed. `npm run demo:seeds` runs the fixed seeds instead; a new
// seed that fails is added to them, with what it found.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { draw, expectedResult, type Fault, story } from "../../demo/releases/draw.ts";
import { type ChildOptions, runChild } from "../../toolchain/child.ts";
import { cacheFolder } from "../../toolchain/node/cache-folder.mjs";

const fixedSeeds = [7, 42];
const seeds =
  process.env["DEMO_SEEDS"] === "fixed"
    ? fixedSeeds
    : [Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32))];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-demo-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const root = path.join(import.meta.dirname, "..", "..");
const run = (args: readonly string[], options?: ChildOptions) =>
  runChild(
    process.execPath,
    ["demo/main.ts", "--folder", path.join(folder, "ground"), "--out", path.join(folder, "demo.json"), ...args],
    { cwd: root, ...options },
  );
const demo = (...args: readonly string[]) => run(args);
const account = () =>
  JSON.parse(readFileSync(path.join(folder, "demo.json"), "utf8")) as {
    releases: readonly Recorded[];
    failedRequestsOutsideFaults: number;
    resumed: boolean;
    controlPlaneKilled: boolean;
    seed: number | null;
    rotation: { control: { failedLogins: number } };
    remediation: readonly { failedRequests: number; failedRequestsWithoutAutomation: number }[];
  };

interface Recorded {
  readonly release: number;
  readonly fault: Fault;
  readonly result: string;
  readonly canaryRequests: number;
  readonly canaryFailed: number;
  readonly stableFailed: number;
}

/** Makes an empty folder that any account may write to: as root, PostgreSQL runs under an account of its own. */
function emptyFolder(name: string): string {
  const made = path.join(folder, name);
  mkdirSync(made);
  chmodSync(folder, 0o755);
  chmodSync(made, 0o1777);
  return made;
}

/** Returns what git sees changed in the clone; undefined if the clone is not a git work tree. */
function changes(): string | undefined {
  const { status, stdout } = spawnSync("git", ["--no-optional-locks", "status", "--porcelain"], {
    cwd: root,
    encoding: "utf8",
  });
  return status === 0 ? stdout : undefined;
}

const environmentFile = (): string => path.join(folder, "ground", "environment");

/** Runs commands of docs/start/demo.md in a second terminal, where nothing but the demo's file is set. */
async function inSecondTerminal(...commands: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const said: Record<string, string> = {};
  for (const command of commands) {
    const { code, output } = await runChild("/bin/sh", ["-c", `. '${environmentFile()}' && npm run ${command}`], {
      cwd: root,
    });
    said[command] = `${output}\nexit code ${code}`;
  }
  return said;
}

const watching = ["ballast -- release follow", "ballast -- release list"];
const lookingBack = [
  "ballast -- release list",
  "ballast -- release explain --replay",
  "ballast -- release report",
  "pulumi -- stack --stack local",
];

/** What `release list` shows at the end: each release by its image, newest first. */
const allReleases = new RegExp(
  [
    "storefront:4 +unchanged",
    "storefront:5 +rejected",
    "storefront:4 +promoted",
    "storefront:3 +rolled-back",
    "storefront:2 +promoted",
    "exit code 0$",
  ].join("[^]*"),
);

/** Checks the mode and the variables of the file for the second terminal. */
function expectOnlyForLooking(lent: string): void {
  expect(lent).toMatch(/^600\n/);
  expect([...lent.matchAll(/^export (\w+)=/gm)].map(([, name]) => name).sort()).toEqual([
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID",
    "BALLAST_AUDIENCE",
    "BALLAST_CONFIG_FILE",
    "BALLAST_CONNECT_TO",
    "BALLAST_ENDPOINT",
    "NODE_EXTRA_CA_CERTS",
    "PULUMI_BACKEND_URL",
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_HOME",
  ]);
}

/** Checks that the incident was repaired, and that fewer users felt it than those of the twin. */
function expectRepaired(): void {
  const [incident, ...others] = account().remediation;
  expect(others).toEqual([]);
  expect(incident).toMatchObject({
    kind: "hang",
    remediations: [{ result: "repaired", reason: "verified", actions: ["restart-revision"] }],
  });
  expect(incident!.failedRequests).toBeLessThan(incident!.failedRequestsWithoutAutomation);
}

describe("the demo without a seed", () => {
  it("plays the standard story, serves a second terminal, and leaves nothing after Ctrl-C", {
    timeout: 1_200_000,
  }, async () => {
    const [home, temporary] = [emptyFolder("home"), emptyFolder("temporary")];
    const before = changes();
    const ctrlC = new AbortController();
    let watched: ReturnType<typeof inSecondTerminal> | undefined;
    let looked: ReturnType<typeof inSecondTerminal> | undefined;
    let lent = "";
    const onLine = (line: string): void => {
      if (line.includes("canary has 10 percent")) watched ??= inSecondTerminal(...watching);
      if (line.includes("Running until Ctrl-C")) {
        lent = `${(statSync(environmentFile()).mode & 0o777).toString(8)}\n${readFileSync(environmentFile(), "utf8")}`;
        looked = inSecondTerminal(...lookingBack).finally(() => ctrlC.abort());
      }
    };
    const environment = {
      ...process.env,
      HOME: home,
      TMPDIR: temporary,
      XDG_CACHE_HOME: path.dirname(cacheFolder(process.env)),
    };
    const { code, output } = await run([], { environment, onLine, signal: ctrlC.signal, graceSeconds: 120 });
    expect(code, output).toBe(0);
    expect(account()).toMatchObject({
      seed: null,
      failedRequestsOutsideFaults: 0,
      controlPlaneKilled: true,
      resumed: true,
    });
    expect(account().releases.map(({ release, result }) => [release, result])).toEqual([
      [2, "promoted"],
      [3, "rolled-back"],
      [4, "promoted"],
      [5, "rejected"],
      [4, "unchanged"],
    ]);
    expect(account().rotation).toMatchObject({
      rotations: [{ result: "rotated", failedLogins: 0, found: { slotVersions: 2, published: 1, passwordChanges: 2 } }],
      control: { failedLogins: expect.any(Number) },
      leaks: [],
    });
    expect(account().rotation.control.failedLogins).toBeGreaterThan(0);
    expectRepaired();
    expect(await watched).toEqual({
      "ballast -- release follow": expect.stringMatching(
        /StepReached +canary has 10 percent[^]*promoted {2}[^]*code 0$/,
      ),
      "ballast -- release list": expect.stringMatching(/storefront:2[^]*storefront:1[^]*exit code 0$/),
    });
    const seen = (await looked)!;
    expect(seen).toEqual({
      "ballast -- release list": expect.stringMatching(allReleases),
      "ballast -- release explain --replay": expect.stringMatching(/every decision is the same[^]*exit code 0$/),
      "ballast -- release report": expect.stringMatching(/to out\/storefront--\w+\.html\nexit code 0$/),
      "pulumi -- stack --stack local": expect.stringMatching(/controlPlaneEndpoint[^]*exit code 0$/),
    });
    expect(seen["ballast -- release explain --replay"]).toContain("promoted");
    rmSync(path.join(root, /to (out\/.*\.html)/.exec(seen["ballast -- release report"]!)![1]!));
    expect(readFileSync(path.join(folder, "report.html"), "utf8")).toContain("<h1>rolled back</h1>");
    expectOnlyForLooking(lent);
    expect([existsSync(path.join(folder, "ground")), readdirSync(home), readdirSync(temporary)]).toEqual([
      false,
      [],
      [],
    ]);
    expect(changes(), "the clone must not be edited while this test runs").toBe(before);
  });
});

describe("a demo with drawn faults", () => {
  for (const seed of seeds) {
    it(`has the results that its faults determine with seed ${seed}`, { timeout: 1_200_000 }, async () => {
      process.stdout.write(`demo seed ${seed}\n`);
      const { code, output } = await demo("--exit", "--only", "releases", "--seed", String(seed));
      expect(code, output).toBe(0);
      if (draw(seed).race)
        expect(output).toMatch(
          /release \d+ came (too early and was refused with [a-z-]+|after the verdict on release \d+)/,
        );
      const record = account();
      expect(record).toMatchObject({ seed, failedRequestsOutsideFaults: 0, controlPlaneKilled: true, resumed: true });
      const drawn = record.releases.slice(0, -1);
      expect(drawn.map(({ release, result }) => [release, result])).toEqual(
        draw(seed).releases.map(({ release, fault }) => [release, expectedResult(fault)]),
      );
      expect(record.releases.at(-1)).toMatchObject({ result: "unchanged", canaryRequests: 0 });
      for (const { result, canaryRequests, stableFailed } of drawn) {
        expect(stableFailed).toBe(0);
        if (result === "rejected") expect(canaryRequests).toBe(0);
        if (result === "promoted") expect(canaryRequests).toBeGreaterThan(0);
      }
      expect(existsSync(path.join(folder, "ground"))).toBe(false);
    });
  }
});

describe("what is drawn", () => {
  it("always has at least two bad and two good releases, a bad one last, and a kill during a good one", () => {
    const kinds = new Set<string>();
    for (let seed = 0; seed < 500; seed++) {
      const { releases, kill } = draw(seed);
      const good = releases.filter(({ fault }) => fault.kind === "none");
      expect(Math.min(good.length, releases.length - good.length)).toBeGreaterThanOrEqual(2);
      expect(releases.at(-1)!.fault.kind).not.toBe("none");
      expect(good.map(({ release }) => release)).toContain(kill.release);
      for (const { fault } of releases) kinds.add(fault.kind);
    }
    expect([...kinds].sort()).toEqual(["crash", "errors", "hang", "never-ready", "none", "slow"]);
  });

  it("has, for most seeds, a verdict that races with the next release's `pulumi up`, and no kill during it", () => {
    const draws = Array.from({ length: 500 }, (_, seed) => draw(seed));
    const races = draws.flatMap(({ race, kill, releases }) =>
      race
        ? [
            {
              race,
              kill,
              first: releases.find(({ release }) => release === race.release)!,
              next: releases.find(({ release }) => release === race.release + 1),
            },
          ]
        : [],
    );
    expect(races.length).toBeGreaterThan(400);
    for (const { race, kill, first, next } of races) {
      expect(next).toBeDefined();
      expect([race.release, race.release + 1]).not.toContain(kill.release);
      expect([first.fault.kind === "none", race.atPercent]).toEqual(
        first.fault.kind === "none" ? [true, 100] : [false, 10],
      );
    }
    expect(fixedSeeds.every((seed) => draw(seed).race !== null)).toBe(true);
  });

  it("is the same for the same seed", () => expect(draw(7)).toEqual(draw(7)));

  it("is the standard story without a seed", () =>
    expect(story.releases.map(({ fault }) => expectedResult(fault))).toEqual([
      "promoted",
      "rolled-back",
      "promoted",
      "rejected",
    ]));
});

describe("a demo that cannot start", () => {
  it.each(["lucky", "4294967296"])("refuses the seed %s with demo-seed-unclear", async (seed) => {
    const { code, output } = await demo("--exit", "--seed", seed);
    expect([code, output]).toEqual([2, expect.stringContaining("demo-seed-unclear")]);
  });

  it("refuses the folder of a running demo with demo-already-running", async () => {
    const first = new AbortController();
    let running = (): void => {};
    const up = new Promise<void>((resolve) => {
      running = resolve;
    });
    const ended = runChild(
      process.execPath,
      ["demo/main.ts", "--folder", path.join(folder, "ground"), "--out", path.join(folder, "demo.json")],
      {
        signal: first.signal,
        onLine: (line) => {
          if (line.includes("emulator on")) running();
        },
      },
    );
    await up;
    const { code, output } = await demo("--exit");
    first.abort();
    expect([code, output]).toEqual([1, expect.stringContaining("demo-already-running")]);
    await ended;
    expect(existsSync(path.join(folder, "ground")), "an interrupted demo leaves nothing").toBe(false);
  }, 120_000);
});

test("refuses a folder that holds other files, and leaves them", async () => {
  mkdirSync(path.join(folder, "ground"));
  writeFileSync(path.join(folder, "ground", "thesis.txt"), "years of work");
  const { code, output } = await demo("--exit");
  expect([code, output]).toEqual([1, expect.stringContaining("demo-folder-foreign")]);
  expect(readFileSync(path.join(folder, "ground", "thesis.txt"), "utf8")).toBe("years of work");
});
