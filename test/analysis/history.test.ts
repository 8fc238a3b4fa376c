// What a run history says about a job: how long it takes, how long it waits for a machine, and whether chance decides
// its result. The API's answers are data here, in the form that GitHub documents.
import { expect, test } from "vitest";
import { readGraph } from "../../analysis/analyze.ts";
import { folderOf } from "../../analysis/folder.ts";
import { nodesOf } from "../../analysis/graph.ts";
import type { Measured } from "../../analysis/systems/workflows/measured.ts";

const workflow = `name: ci
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: make build
  test:
    needs: build
    runs-on: ubuntu-24.04
    strategy: { matrix: { shard: [1, 2] } }
    steps:
      - run: make test
`;

const at = (second: number): string => new Date(Date.UTC(2026, 1, 28, 23, 50, second)).toISOString();

interface Said {
  readonly run: number;
  readonly name: string;
  readonly attempt?: number;
  readonly conclusion?: string;
  readonly queued?: number;
  readonly from: number;
  readonly to: number;
}

async function measured(key: string, said: readonly Said[]): Promise<Measured | undefined> {
  const jobs = said.map(({ run, name, attempt = 1, conclusion = "success", queued, from, to }) => ({
    run_id: run,
    run_attempt: attempt,
    workflow_name: "ci",
    name,
    conclusion,
    ...(queued !== undefined && { created_at: at(queued) }),
    started_at: at(from),
    completed_at: at(to),
  }));
  const files = { ".github/workflows/ci.yml": workflow, ".ballast/run-history.json": JSON.stringify({ jobs }) };
  const graph = await readGraph(folderOf(files), { asksGitHub: false });
  return nodesOf(graph, "job").find((job) => job.key === key)!.measured;
}

const runs = (count: number): readonly number[] => Array.from({ length: count }, (_each, run) => run);

test("a matrix takes from its first start to its last end, and its machines take the sum of its legs", async () => {
  const legs = runs(5).flatMap((run) => [
    { run, name: "test (1)", from: 0, to: 100 },
    { run, name: "test (2)", from: 20, to: 150 },
  ]);
  expect(await measured("test", legs)).toMatchObject({ seconds: 150, machineSeconds: 230, runs: 5 });
  expect(await measured("test", legs.slice(0, 8))).toBeUndefined();
});

test("a wait begins when everything that the job needs has ended, and is said from thirty starts on", async () => {
  const history = runs(15).flatMap((run) => [
    { run, name: "build", queued: 0, from: 5, to: 200 },
    { run, name: "test (1)", queued: 0, from: 230, to: 300 },
    { run, name: "test (2)", queued: 0, from: run < 4 ? 400 : 230, to: 500 },
  ]);
  expect((await measured("test", history))?.wait).toEqual({ seconds: 30, ninetieth: 200, starts: 30 });
  expect((await measured("build", history))?.wait).toBeUndefined();
  expect((await measured("test", history.slice(3)))?.wait).toBeUndefined();
});

test("a job passes on retry if an attempt of the same run failed before the last one passed", async () => {
  const passed = runs(10).map((run) => ({ run, name: "build", from: 0, to: 10 }));
  const again = (run: number, last: string): readonly Said[] => [
    { run, name: "build", attempt: 1, conclusion: "failure", from: 0, to: 10 },
    { run, name: "build", attempt: 2, conclusion: last, from: 20, to: 30 },
  ];
  const history = [...passed.slice(2), ...again(0, "success"), ...again(1, "failure")];
  expect((await measured("build", history))?.retries).toEqual({ passed: 1, runs: 10 });
  expect((await measured("build", history.toReversed()))?.retries).toEqual({ passed: 1, runs: 10 });
  expect((await measured("build", passed.slice(1)))?.retries).toBeUndefined();
});
