// A process in which mutants face their tests, one after another. face-all.ts sends a mutant with its tests, and gets
// an answer, unless the process dies of the mutant. A watch ends it once a mutant has used too much CPU time.
import { Worker } from "node:worker_threads";
import type { Found, Order } from "./face-all.ts";
import { secondsOfProcess, secondsUntilHung } from "./scope.ts";
import type { Outcome, TestName } from "./score.ts";

/** The global in which Stryker's instrumented source looks for the active mutant and counts how often it ran. */
interface Instrumented {
  activeMutant?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
}

const instrumented: Instrumented = Reflect.get(globalThis, "__stryker__") ?? {};
Object.assign(globalThis, { __stryker__: instrumented });
const { runTests } = await import("./run-tests.ts");

/** The CPU microseconds of this process when its mutant began. */
const began = new Float64Array(new SharedArrayBuffer(8));
const watch = `const { workerData } = require("node:worker_threads");
setInterval(() => {
  const { user, system } = process.cpuUsage();
  if (user + system - workerData[0] > ${secondsOfProcess} * 1e6) process.kill(process.pid, "SIGKILL");
}, 500);`;
new Worker(watch, { eval: true, workerData: began }).unref();

/** Runs tests until the first fails, and gives it with its message. */
async function firstFailure(stages: Order["stages"], strayed: Promise<string>): Promise<Failure | undefined> {
  for (const { file, titles } of stages) {
    let at: TestName = { file, title: "" };
    let failure: Failure | undefined;
    const ran = runTests(file, secondsUntilHung, {
      isChosen: (title) => failure === undefined && titles.includes(title),
      started: (title) => {
        at = { file, title: title ?? "" };
      },
      ended: (run) => {
        if (run.failure !== undefined)
          failure ??= { by: { file, title: run.title }, message: run.failure, isStray: false };
      },
    });
    const stray = strayed.then((message) => ({ by: at, message, isStray: true }));
    const outside = await Promise.race([ran, stray]);
    if (failure === undefined && typeof outside === "string") failure = { by: at, message: outside, isStray: false };
    if (failure === undefined && typeof outside === "object") return outside;
    if (failure !== undefined) return failure;
  }
  return undefined;
}

interface Failure {
  readonly by: TestName;
  readonly message: string;
  /** True for an error that no test caught. It may stem from a mutant before this one. */
  readonly isStray: boolean;
}

async function face({ mutant, stages, cut, hitLimit }: Order): Promise<Found> {
  const { promise: strayed, resolve } = Promise.withResolvers<string>();
  process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => resolve(error.message));
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", (error) => resolve(String(error)));
  const before = process.cpuUsage();
  began[0] = before.user + before.system;
  Object.assign(instrumented, { activeMutant: mutant, hitCount: 0, hitLimit });
  const failure = await firstFailure(stages, strayed);
  const isEndless = (instrumented.hitCount ?? 0) > hitLimit;
  Object.assign(instrumented, { activeMutant: "none", hitCount: 0, hitLimit: Number.MAX_SAFE_INTEGER });
  const found = (outcome: Outcome, isClean: boolean): Found => ({ outcome, isClean, cpu: process.cpuUsage(before) });
  if (failure === undefined) return found({ how: cut ? "survived the quick tests" : "survived" }, true);
  const { by, message, isStray } = failure;
  if (isEndless || /Hit count limit reached|timed out in \d+ms/.test(message))
    return found({ how: "timed out" }, false);
  if (isStray || by.title === "") return found({ how: "killed", by }, false);
  const again = await firstFailure([{ file: by.file, titles: [by.title], seconds: 0 }], strayed);
  return found({ how: "killed", by }, again === undefined);
}

process.on("message", (order) => {
  void face(order as Order).then((found) => process.send?.(found));
});
