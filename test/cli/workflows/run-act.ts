// Runs a reusable workflow on this machine with act, without containers: a caller is written, the stubs stand for the
// rest of the world, and their journal says what happened in which order.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { makeActions, makeCommands, makeRepository } from "./stubs.ts";

/** One run. */
export interface Run {
  readonly workflow: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly event?: { readonly name: string; readonly payload: object };
  /** What stubs do, as a line of shell, by `command-word-word`. */
  readonly outcomes?: Readonly<Record<string, string>>;
  /** Interrupts the run when this line stands in the journal. */
  readonly cancelAt?: string;
}

/** What a run did. */
export interface Ran {
  readonly isSuccess: boolean;
  /** What the stubs were told, in order. The commits are `first` and `second`. */
  readonly journal: readonly string[];
  readonly outputs: string;
  /** The summary, as the evidence of the run has it; empty if it wrote none. */
  readonly summary: string;
  readonly log: string;
}

/** A place for runs: the stubs are made once. */
export interface Bench {
  readonly run: (run: Run) => Promise<Ran>;
  readonly remove: () => void;
}

/** Makes a bench around an act. */
export function makeBench(act: string): Bench {
  const folder = mkdtempSync(join(tmpdir(), "ballast-act-"));
  const repository = join(folder, "repository");
  mkdirSync(repository);
  const commits = makeRepository(repository);
  const stubs = join(folder, "stubs");
  makeCommands(stubs);
  const actions = makeActions(join(folder, "actions"));
  return {
    run: (run) => runAct({ act, folder, repository, stubs, actions, commits }, run),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

interface Place {
  readonly act: string;
  readonly folder: string;
  readonly repository: string;
  readonly stubs: string;
  readonly actions: readonly string[];
  readonly commits: readonly [string, string];
}

/** The outputs of the called workflow are read by a job of the caller. */
const caller = ({ workflow, inputs, event }: Run): string =>
  stringify({
    on: event?.name ?? "push",
    permissions: {},
    jobs: {
      call: { uses: `./.github/workflows/${workflow}.yml`, with: inputs },
      read: {
        needs: "call",
        if: "always()",
        "runs-on": "ubuntu-24.04",
        steps: [{ env: { OUTPUTS: "${{ toJSON(needs.call.outputs) }}" }, run: 'echo "$OUTPUTS" > "$OUTPUTS_FILE"' }],
      },
    },
  });

async function runAct(place: Place, run: Run): Promise<Ran> {
  const { act, folder, repository, stubs, actions, commits } = place;
  const at = mkdtempSync(join(folder, "run-"));
  const paths = ["journal", "outcomes", "outputs", "artifacts"].map((name) => join(at, name));
  const [journal, outcomes, outputs, artifacts] = paths as [string, string, string, string];
  for (const made of [outcomes, artifacts]) mkdirSync(made);
  for (const [key, script] of Object.entries(run.outcomes ?? {})) writeFileSync(join(outcomes, key), `${script}\n`);
  const file = join(repository, ".github", "workflows", "caller.yml");
  writeFileSync(file, caller(named(run, commits)));
  writeFileSync(join(at, "event.json"), JSON.stringify(run.event?.payload ?? {}));
  const environment = {
    JOURNAL: journal,
    OUTCOMES: outcomes,
    OUTPUTS_FILE: outputs,
    STUBS: stubs,
    ARTIFACTS: artifacts,
  };
  const child = spawn(
    act,
    [
      run.event?.name ?? "push",
      ...["--workflows", file, "--eventpath", join(at, "event.json"), "--platform", "ubuntu-24.04=-self-hosted"],
      ...["--secret", "GITHUB_TOKEN=stub", "--action-cache-path", join(at, "cache"), "--no-cache-server"],
      ...Object.entries({ ...environment, REPOSITORY_FOLDER: repository }).flatMap(([key, value]) => [
        "--env",
        `${key}=${value}`,
      ]),
      ...actions.flatMap((action) => ["--local-repository", action]),
    ],
    {
      cwd: repository,
      // act keeps its own folders below the home, and asks git who the author is.
      env: { ...process.env, ...environment, HOME: at, PATH: `${stubs}:${process.env["PATH"]}` },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => {
      log += String(bytes);
    });
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
  const watch =
    run.cancelAt === undefined
      ? undefined
      : setInterval(() => {
          if (!read(journal).includes(run.cancelAt!)) return;
          clearInterval(watch);
          child.kill("SIGINT");
        }, 50);
  const [code] = (await once(child, "close")) as [number];
  clearInterval(watch);
  const lines = read(journal)
    .replaceAll(commits[0], "first")
    .replaceAll(commits[1], "second")
    .replaceAll(/[^\s=]*\/(?:hostexecutor|cache\/\w+\/tmp)\//g, "")
    .trim();
  const summary = readdirSync(artifacts).map((name) => read(join(artifacts, name, "summary.md")));
  return {
    isSuccess: code === 0,
    journal: lines === "" ? [] : lines.split("\n"),
    outputs: read(outputs),
    summary: summary.join(""),
    log,
  };
}

/** Puts the commits in place of their names. */
const named = (run: Run, [first, second]: readonly [string, string]): Run => ({
  ...run,
  inputs: Object.fromEntries(
    Object.entries(run.inputs).map(([key, value]) => [
      key,
      ({ first, second } as Record<string, string>)[value] ?? value,
    ]),
  ),
});
