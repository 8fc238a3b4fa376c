// The options of `npm start`, read and checked before anything starts.
import path from "node:path";
import { parseArgs } from "node:util";
import { demoOptionUnclear, demoSeedUnclear } from "../errors/demo.ts";

const root = path.join(import.meta.dirname, "..");
/** The stories, by the names by which one is chosen. */
const storyNames = ["releases", "rotation", "remediation"] as const;
export type StoryName = (typeof storyNames)[number];

const known = {
  only: { type: "string" },
  seed: { type: "string" },
  exit: { type: "boolean", default: false },
  folder: { type: "string", default: path.join(root, ".ballast") },
  out: { type: "string", default: path.join(root, "out", "demo.json") },
} as const;

/** What the demo was asked to do. */
export interface Options {
  /** Shows this story whole, and no other one. */
  readonly only: StoryName | undefined;
  /** Draws another story than the standard one. */
  readonly seed: number | undefined;
  /** Ends after the story, without waiting for Ctrl-C. */
  readonly exit: boolean;
  /** The folder for the emulator and its files. */
  readonly folder: string;
  /** The file for the record of the story; the report is written beside it. */
  readonly out: string;
}

/** Reads the options from the arguments of the command. @throws demo-option-unclear, demo-seed-unclear */
export function readOptions(args: readonly string[]): Options {
  const { values, tokens } = parse(args);
  for (const token of tokens) {
    const reason = complaint(token);
    if (reason !== undefined) throw demoOptionUnclear({ reason });
  }
  const { only, seed, exit, folder, out } = values as Given;
  const story = storyNames.find((name) => name === only);
  if (only !== undefined && story === undefined)
    throw demoOptionUnclear({ reason: `there is no story "${only}"; the stories are: ${storyNames.join(", ")}` });
  if (seed !== undefined && !(/^\d{1,10}$/.test(seed) && Number(seed) < 2 ** 32)) throw demoSeedUnclear({ seed });
  return { only: story, seed: seed === undefined ? undefined : Number(seed), exit, folder: path.resolve(folder), out };
}

interface Given {
  readonly only?: string;
  readonly seed?: string;
  readonly exit: boolean;
  readonly folder: string;
  readonly out: string;
}

// Node's own strict mode would throw errors that are not ours.
const parse = (args: readonly string[]) => parseArgs({ args: [...args], options: known, strict: false, tokens: true });

function complaint(token: ReturnType<typeof parse>["tokens"][number]): string | undefined {
  if (token.kind === "positional") return `"${token.value}" is not an option`;
  if (token.kind === "option-terminator") return undefined;
  const { name, rawName, value, inlineValue } = token;
  if (!Object.hasOwn(known, name)) return `there is no option ${rawName}`;
  if (known[name as keyof typeof known].type === "boolean")
    return value === undefined ? undefined : `${rawName} takes no value`;
  return value === undefined || (!inlineValue && value.startsWith("-")) ? `${rawName} needs a value` : undefined;
}
