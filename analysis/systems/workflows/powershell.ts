// Programs in a script of PowerShell whose exit code nothing looks at: the runner asks only for that of the last one.
import { commandsIn, type Worded } from "./shell.ts";

/** A program whose answer is lost. */
export interface UnreadAnswer {
  readonly line: number;
  readonly words: string;
  readonly how: string;
}

const looks = /\$LASTEXITCODE|\$\?|PSNativeCommandUseErrorActionPreference|\bthrow\b|\bexit\b|\btry\b|\|\|/i;
const programs =
  "npm npx pnpm yarn dotnet go cargo python python3 pytest node az kubectl helm docker terraform git gh msbuild mvn " +
  "gradle";
const program = new RegExp(String.raw`^(${programs.replaceAll(" ", "|")}|\.[\\/]\S+\.exe)\b`, "i");

/** Gives the programs that are asked about and behind which another program runs before anything looks. */
export function unreadAnswers(script: string, isAsked: (command: Worded) => boolean): readonly UnreadAnswer[] {
  if (/PSNativeCommandUseErrorActionPreference/i.test(script)) return [];
  const commands = commandsIn(script);
  return commands.flatMap((command, at) => {
    if (!isAsked(command) || !program.test(command.words.join(" ")) || /^[\w-]*\{/.test(command.text)) return [];
    const rest = commands.slice(at + 1);
    const next = rest.findIndex(({ words }) => program.test(words.join(" ")));
    const until = next === -1 ? rest : rest.slice(0, next);
    if (next === -1 || until.some(({ text }) => looks.test(text)) || command.next === "||" || command.next === "&&")
      return [];
    const then = rest[next]!.words.slice(0, 3).join(" ");
    const how = `is followed by "${then}", and PowerShell goes on after a program that fails`;
    return [{ line: command.line, words: command.words.join(" "), how }];
  });
}
