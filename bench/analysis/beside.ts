// `npm run bench:analysis -- --beside <folder>`: the analyser beside zizmor and actionlint on the same folder, in one
// run. It uses them if they are on PATH and says so if they are not; nothing is fetched. It prints how long each took
// and how many lines two of them report together, because tools that find different things belong beside each other.
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Tool {
  readonly name: string;
  /** How it is had, for a reader who has it not. */
  readonly from: string;
  readonly command: readonly string[];
  /** Gives `file:line` of each finding in its output. */
  readonly places: (output: string) => readonly string[];
}

const root = join(import.meta.dirname, "..", "..");

const tools = (folder: string): readonly Tool[] => [
  {
    name: "ballast",
    from: "this repository",
    command: [
      process.execPath,
      join(root, "cli", "main.ts"),
      "analyze",
      folder,
      "--format",
      "json",
      "--scope",
      "github",
    ],
    places: (output) =>
      (
        JSON.parse(output) as { findings: readonly { severity: string; place: { file: string; line: number } }[] }
      ).findings
        .filter(({ severity }) => severity !== "info")
        .map(({ place }) => `${place.file}:${place.line}`),
  },
  {
    name: "actionlint",
    from: "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
    command: ["actionlint", "-format", "{{json .}}", ...globSync(".github/workflows/*.{yml,yaml}", { cwd: folder })],
    places: (output) =>
      (JSON.parse(output || "[]") as readonly { filepath: string; line: number }[]).map(
        ({ filepath, line }) => `${filepath}:${line}`,
      ),
  },
  {
    name: "zizmor",
    from: "pip install zizmor==1.32.0",
    command: ["zizmor", "--offline", "--no-progress", "--persona", "auditor", "--format", "sarif", "."],
    places: (output) =>
      (JSON.parse(output) as { runs: readonly { results: readonly SarifResult[] }[] }).runs.flatMap(({ results }) =>
        results.flatMap(({ locations }) =>
          locations.map(
            ({ physicalLocation: { artifactLocation, region } }) =>
              `${artifactLocation.uri.replace(/^\.\//, "")}:${region.startLine}`,
          ),
        ),
      ),
  },
];

interface SarifResult {
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region: { readonly startLine: number };
    };
  }[];
}

interface Ran {
  readonly name: string;
  readonly seconds: number;
  readonly places: ReadonlySet<string>;
}

/**
 * Runs all three and prints a table. They see a copy of the workflows in a folder of its own, because actionlint and
 * zizmor look for the root of the git repository above.
 */
export function beside(folder: string): void {
  const copy = mkdtempSync(join(tmpdir(), "ballast-beside-"));
  mkdirSync(join(copy, ".git"));
  cpSync(join(folder, ".github"), join(copy, ".github"), { recursive: true });
  const ran = tools(copy).flatMap((tool) => run(tool, copy));
  rmSync(copy, { recursive: true });
  const ours = ran.find(({ name }) => name === "ballast")?.places ?? new Set<string>();
  console.log("| tool | seconds | lines with a finding | also reported by ballast |\n|---|---|---|---|");
  for (const { name, seconds, places } of ran)
    console.log(
      `| ${name} | ${seconds.toFixed(2)} | ${places.size} | ${[...places].filter((place) => ours.has(place)).length} |`,
    );
}

function run({ name, from, command, places }: Tool, folder: string): readonly Ran[] {
  const [program = "", ...args] = command;
  const start = performance.now();
  const { error, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8", maxBuffer: 1e9 });
  const seconds = (performance.now() - start) / 1000;
  if (error) {
    console.log(`${name} is not on PATH (${from}); left out.\n`);
    return [];
  }
  try {
    return [{ name, seconds, places: new Set(places(stdout)) }];
  } catch {
    console.log(`${name} gave no result: ${stderr.trim().split("\n")[0]}\n`);
    return [];
  }
}
