// Runs one test file in this process, with vitest's own runner but without its server and workers, which cost four
// times as much as the tests, and as often as asked. What counts is the same: hooks, `it.each`, `expect` and failures
// are vitest's.
import { join } from "node:path";
import { startTests } from "vitest/internal/browser";

/** A test or a group of tests, as far as this file needs it. */
interface Task {
  readonly type: "test" | "suite";
  readonly name: string;
  readonly suite?: Task;
  readonly tasks?: readonly Task[];
  readonly result?: { readonly state?: string; readonly errors?: readonly { readonly message?: string }[] };
  mode: string;
}

/** What one test did. */
export interface TestRun {
  readonly title: string;
  /** CPU time, so that a busy machine changes little. */
  readonly seconds: number;
  /** The message of its failure; undefined if it passed. */
  readonly failure?: string;
}

/** Chooses tests, asked again before each, and hears of them. A test without a title is the loading of the file. */
export interface Listener {
  readonly isChosen: (title: string) => boolean;
  readonly started: (title: string | undefined) => void;
  readonly ended: (run: TestRun) => void;
}

let runs = 0;

const titleOf = (task: Task): string => (task.suite?.name ? `${titleOf(task.suite)} > ${task.name}` : task.name);
const testsOf = (task: Task): readonly Task[] => (task.type === "test" ? [task] : (task.tasks ?? []).flatMap(testsOf));
const cpuSeconds = (): number => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6;
const configFor = (hangsAfterSeconds: number) => ({
  root: process.cwd(),
  setupFiles: [],
  sequence: { hooks: "stack", shuffle: false, concurrent: false, seed: 1, setupFiles: "list" },
  maxConcurrency: 1,
  retry: 0,
  tags: [],
  chaiConfig: {},
  expect: {},
  fakeTimers: {},
  allowOnly: false,
  testTimeout: hangsAfterSeconds * 1_000,
  hookTimeout: hangsAfterSeconds * 1_000,
});

/**
 * Runs the chosen tests of a file, in the order of the file, and gives the message of a failure outside of the tests:
 * the file does not load, a hook fails, or it holds no test. A test hangs if it has not ended after so many seconds,
 * which a busy machine makes longer.
 */
export async function runTests(
  file: string,
  hangsAfterSeconds: number,
  listener: Listener,
): Promise<string | undefined> {
  const config = configFor(hangsAfterSeconds);
  // Vitest's `expect` and `vi` read the state of a worker here.
  Object.assign(globalThis, {
    __vitest_worker__: { config, environment: { name: "node" }, ctx: {}, rpc: {}, metaEnv: process.env, durations: {} },
  });
  let began = 0;
  const runner = {
    config,
    // A file that was imported once would not run again under its own name.
    importFile: (path: string) => import(`${path}?run=${++runs}`),
    onCollected: (collected: readonly Task[]) => {
      for (const test of collected.flatMap(testsOf)) if (!listener.isChosen(titleOf(test))) test.mode = "skip";
    },
    onBeforeRunTask: (task: Task) => {
      if (!listener.isChosen(titleOf(task))) task.mode = "skip";
      Object.assign(Reflect.get(globalThis, "__vitest_worker__"), { current: task });
      began = cpuSeconds();
      listener.started(titleOf(task));
    },
    onAfterRunTask: (task: Task) => {
      const failure = task.result?.state === "fail" ? (task.result.errors?.[0]?.message ?? "it failed") : undefined;
      listener.started(undefined);
      listener.ended({ title: titleOf(task), seconds: cpuSeconds() - began, ...(failure && { failure }) });
    },
  };
  const files = (await startTests([join(process.cwd(), file)], runner as never)) as unknown as readonly Task[];
  for (const each of files) {
    const failed = [each, ...suitesOf(each)].find(({ result }) => (result?.errors ?? []).length > 0);
    if (failed) return failed.result?.errors?.[0]?.message ?? "it failed";
    if (testsOf(each).length === 0) return "it holds no test";
  }
  return undefined;
}

const suitesOf = (task: Task): readonly Task[] =>
  (task.tasks ?? []).flatMap((each) => (each.type === "suite" ? [each, ...suitesOf(each)] : []));
