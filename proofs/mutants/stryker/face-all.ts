// Lets mutants face their tests, several at a time, in processes that have loaded the source once. A kept process may
// carry something over from one mutant to the next, so it never has the last word: what it says is believed only if
// the failed test passes again without the mutant; everything else is tried again in a new process.
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Note, Outcome } from "./score.ts";
import { type Plan, planFor, type Survey } from "./survey.ts";

/** What a process is to try. */
export interface Order extends Plan {
  readonly mutant: string;
}

/** What a process found, and whether it can go on: a failed test passed again without the mutant. */
export interface Found {
  readonly outcome: Outcome;
  readonly cpu: Note["cpu"];
  readonly isClean: boolean;
}

/** Every import of a test file stays in memory, so a process is replaced after so many mutants. */
const mutantsPerProcess = 200;

/** One process that faces mutants one after another. */
class Facing {
  private readonly child: ChildProcess = fork(join(import.meta.dirname, "face.ts"), { stdio: "ignore" });
  private faced = 0;

  get isWorn(): boolean {
    return this.faced >= mutantsPerProcess || !this.child.connected;
  }

  /** Tries one mutant; undefined if the process ended before it answered, for instance in an endless loop. */
  async try(order: Order): Promise<Found | undefined> {
    this.faced += 1;
    const { promise, resolve } = Promise.withResolvers<Found | undefined>();
    const answered = (answer: unknown): void => resolve(answer as Found);
    const ended = (): void => resolve(undefined);
    this.child.once("message", answered);
    this.child.once("exit", ended);
    this.child.send(order);
    const found = await promise;
    this.child.off("message", answered);
    this.child.off("exit", ended);
    return found;
  }

  end(): void {
    this.child.kill("SIGKILL");
  }
}

const spent = (a: Note["cpu"], b: Note["cpu"]): Note["cpu"] => ({ user: a.user + b.user, system: a.system + b.system });
const nothing = { user: 0, system: 0 };

/** Tries a mutant in a process of its own. Nothing else ran there, so its word counts. */
async function tryAfresh(order: Order, before: Note["cpu"]): Promise<Note> {
  const facing = new Facing();
  const found = await facing.try(order);
  facing.end();
  const outcome: Outcome = found?.outcome ?? { how: "timed out" };
  return { mutant: order.mutant, cpu: spent(before, found?.cpu ?? nothing), ...outcome };
}

/** A kept process and what it tried. It is replaced when it is worn, or when a mutant left traces in it. */
class Lane {
  private kept = new Facing();

  /** Tries one mutant; the kept process can only say that it was killed, everything else is tried again. */
  async face(order: Order): Promise<Note> {
    // A mutant in code that runs while a module loads cannot be switched on later.
    if (order.isLoaded) return await tryAfresh(order, nothing);
    if (this.kept.isWorn) this.replace();
    const found = await this.kept.try(order);
    if (found?.isClean !== true) this.replace();
    if (found?.isClean === true && found.outcome.how === "killed")
      return { mutant: order.mutant, cpu: found.cpu, ...found.outcome };
    return await tryAfresh(order, found?.cpu ?? nothing);
  }

  end(): void {
    this.kept.end();
  }

  private replace(): void {
    this.kept.end();
    this.kept = new Facing();
  }
}

/** Lets every mutant face the tests that reach it, and notes each outcome. */
export async function faceAll(
  mutants: readonly string[],
  survey: Survey,
  limits: { readonly secondsPerMutant: number; readonly concurrency: number; readonly until: number },
  note: (outcome: Note) => void,
): Promise<void> {
  const left = [...mutants];
  const killers: string[] = [];
  const work = async (lane: Lane): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const isLate = Date.now() > limits.until;
      const outcome: Note = isLate
        ? { mutant, cpu: nothing, how: "not run" }
        : await lane.face({ mutant, ...planFor(mutant, survey, limits.secondsPerMutant, killers) });
      if (outcome.how === "killed") killers.push(outcome.by.file);
      killers.splice(0, killers.length - 20);
      note(outcome);
    }
    lane.end();
  };
  await Promise.all(Array.from({ length: limits.concurrency }, () => work(new Lane())));
}
