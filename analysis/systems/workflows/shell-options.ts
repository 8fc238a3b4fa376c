// With which options the runner starts the shell of a step. The runner's own shell stops at a failure and asks only the
// last command of a pipe; `shell: bash` asks them all; a shell with its own command line does what that says; a script
// on a host goes on whatever fails.
import type { Text } from "../../place.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import type { ShellOptions } from "./shell-run.ts";

/** A script that a POSIX shell or bash runs. */
export interface ShellScript {
  readonly script: Text;
  readonly options: ShellOptions;
  /** Whether it runs on a host, where the address of the machine itself is that of what was deployed. */
  readonly isRemote: boolean;
}

const onHosts = /^(appleboy\/ssh-action|fifsky\/ssh-action|cross-the-world\/ssh-\S+)@/i;

/** Gives the script of a step that a POSIX shell or bash runs, its own or one that it gives to an action. */
export function shellScriptOf(job: JobNode, step: StepNode): ShellScript | undefined {
  const options = step.run ? optionsOf(job, step.shell?.text) : undefined;
  if (step.run) return options && { script: step.run, options, isRemote: false };
  const input = (name: string): Text | undefined => step.with.find(({ key }) => key.text.toLowerCase() === name)?.value;
  const uses = step.uses?.text ?? "";
  const [inline, remote] = [input("inlinescript"), input("script")];
  if (/^azure\/cli@/i.test(uses) && inline)
    return { script: inline, options: { stopsOnFailure: true, hearsPipes: false }, isRemote: false };
  if (!onHosts.test(uses) || remote === undefined) return undefined;
  const stopsOnFailure = input("script_stop")?.text === "true";
  return { script: remote, options: { stopsOnFailure, hearsPipes: false }, isRemote: true };
}

function optionsOf({ runsOn }: JobNode, shell: string | undefined): ShellOptions | undefined {
  if (shell === undefined)
    return runsOn.some((label) => /windows/i.test(label)) ? undefined : { stopsOnFailure: true, hearsPipes: false };
  if (shell === "bash") return { stopsOnFailure: true, hearsPipes: true };
  if (shell === "sh") return { stopsOnFailure: true, hearsPipes: false };
  if (!/^\S*(bash|sh|zsh)\b.*\{0\}/.test(shell))
    return shell.includes("${{") ? { stopsOnFailure: true, hearsPipes: true } : undefined;
  return { stopsOnFailure: /\s-[a-z]*e|errexit/.test(shell), hearsPipes: shell.includes("pipefail") };
}

const session = /^[ \t]*(?:sshpass .*)?ssh .*<<-?[ \t]*\\?["']?(\w+)["']?[ \t]*$/m;

/**
 * Gives what a step tells a host in a here document behind ssh. The lines before it are left empty, so that a line of
 * it is the line of the step's script.
 */
export function sessionOf({ run }: StepNode): ShellScript | undefined {
  const begin = session.exec(run?.text ?? "");
  if (run === undefined || begin === null) return undefined;
  const lines = run.text.split("\n");
  const first = run.text.slice(0, begin.index).split("\n").length;
  const end = lines.findIndex((line, at) => at >= first && line.trim() === begin[1]);
  if (end === -1) return undefined;
  const text = [...Array.from({ length: first }, () => ""), ...lines.slice(first, end)].join("\n");
  return { script: { ...run, text }, options: { stopsOnFailure: false, hearsPipes: false }, isRemote: true };
}

/** Whether PowerShell runs the script of a step. */
export const isPowerShell = ({ runsOn }: JobNode, { shell }: StepNode): boolean =>
  shell === undefined ? runsOn.some((label) => /windows/i.test(label)) : /^(pwsh|powershell)\b/.test(shell.text);
