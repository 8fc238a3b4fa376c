// Runs a child in place of this process: same terminal, same signals, same exit code. It is plain JavaScript because
// the launchers need it on a Node that is too old for TypeScript.
import { spawn } from "node:child_process";
import { constants } from "node:os";

/**
 * Runs a command on our own input and output, and gives its exit code (128 + n if signal n ended it, as shells do).
 *
 * Signals sent to us are passed on, except Ctrl-C from a terminal. That one reaches the child by itself, and a second
 * one would make Pulumi stop at once and leave its state half written.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ readonly [name: string]: string | undefined }} [environment]
 * @returns {Promise<number>}
 */
export function runInForeground(command, args, environment = process.env) {
  const child = spawn(command, args, { stdio: "inherit", env: environment });
  const atTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const passOn = (/** @type {NodeJS.Signals} */ signal) => {
    if (signal !== "SIGINT" || !atTerminal) child.kill(signal);
  };
  /** @type {NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
  for (const signal of signals) process.on(signal, passOn);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      for (const name of signals) process.off(name, passOn);
      resolve(code ?? 128 + constants.signals[signal ?? "SIGTERM"]);
    });
  });
}
