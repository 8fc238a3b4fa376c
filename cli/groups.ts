// The commands of `ballast`, in the order of its help. A command loads only what it needs: all of them together take
// 0.2 s of CPU, and a pipeline starts `ballast` often.
import type { Command } from "commander";
import type { AnyWork } from "./streams/work.ts";

/** Adds one command. `nodeRange` is what package.json asks of Node. */
type Add = (program: Command, nodeRange: string) => unknown;

/** How each command is loaded. */
const groups: Readonly<Record<string, () => Promise<Add>>> = {
  release: async () => addWork((await import("./release/release.ts")).release),
  credential: async () => addWork((await import("./credential/credential.ts")).credential),
  remediation: async () => addWork((await import("./remediation/remediation.ts")).remediation),
  alert: async () => (await import("./alert/alert.ts")).addAlert,
  top: async () => (await import("./release/top.ts")).addTop,
  power: async () => (await import("./release/power.ts")).addPower,
  backtest: async () => (await import("./release/backtest.ts")).addBacktest,
  promote: async () => (await import("./image/promote.ts")).addPromote,
  doctor: async () => (await import("./doctor/doctor.ts")).addDoctor,
  image: async () => (await import("./image/image.ts")).addImage,
  "sign-in": async () => (await import("./sign-in.ts")).addSignIn,
  emulator: async () => (await import("./emulator/emulator.ts")).addEmulator,
  analyze: async () => (await import("./analyze/analyze.ts")).addAnalyze,
  policy: async () => (await import("./policy/policy.ts")).addPolicy,
  comment: async () => (await import("./comment/comment.ts")).addComment,
  issue: async () => (await import("./issue/issue.ts")).addIssue,
  workflows: async () => (await import("./workflows/workflows.ts")).addWorkflows,
  migration: async () => (await import("./migration/migration.ts")).addMigration,
};

/** Adds the commands of one kind of work. */
async function addWork(work: AnyWork): Promise<Add> {
  const { addStreamCommands } = await import("./streams/stream-commands.ts");
  return (program) => addStreamCommands(program, work);
}

/** Loads the command of this name, or every command if there is none: for the help, or to say what could be meant. */
export async function loadGroups(name = ""): Promise<Add> {
  const load = Object.hasOwn(groups, name) ? groups[name] : undefined;
  if (load) return load();
  const all = await Promise.all(Object.values(groups).map((each) => each()));
  const { addCompletion } = await import("./completion.ts");
  return (program, nodeRange) => {
    for (const add of all) add(program, nodeRange);
    addCompletion(program);
  };
}
