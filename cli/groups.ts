// All commands of `ballast`, in the order of its help.
import type { Command } from "commander";
import { addAlert } from "./alert/alert.ts";
import { addAnalyze } from "./analyze/analyze.ts";
import { addComment } from "./comment/comment.ts";
import { addCompletion } from "./completion.ts";
import { addDoctor } from "./doctor/doctor.ts";
import { addEmulator } from "./emulator/emulator.ts";
import { addImage } from "./image/image.ts";
import { addPromote } from "./image/promote.ts";
import { addIssue } from "./issue/issue.ts";
import { addMigration } from "./migration/migration.ts";
import { addPolicy } from "./policy/policy.ts";
import { addBacktest } from "./release/backtest.ts";
import { addPower } from "./release/power.ts";
import { addTop } from "./release/top.ts";
import { addSignIn } from "./sign-in.ts";
import { addStreamCommands } from "./streams/stream-commands.ts";
import { addWorkflows } from "./workflows/workflows.ts";
import { works } from "./works.ts";

/** Adds every command. `nodeRange` is what package.json asks of Node. */
export function addGroups(program: Command, nodeRange: string): void {
  for (const work of works) addStreamCommands(program, work);
  addAlert(program);
  addTop(program);
  addPower(program);
  addBacktest(program);
  addPromote(program);
  addDoctor(program, nodeRange);
  addImage(program);
  addSignIn(program);
  addEmulator(program);
  addAnalyze(program);
  addPolicy(program);
  addComment(program);
  addIssue(program);
  addWorkflows(program);
  addMigration(program);
  addCompletion(program);
}
