// The system Pulumi: which files of a folder say what a stack is, and how they are read. It reads projects with their
// stacks' settings, programs in YAML, exported states and previews, checkpoints of a file backend, and event logs. It
// runs no program and calls no network; a program in another language is judged by the policy pack.
import { emptyFragment, type Fragment, type NotJudged } from "../../graph.ts";
import { refusal, YamlFile } from "../../yaml-file.ts";
import type { Folder, System } from "../system.ts";
import { fragmentOf } from "./fragment.ts";
import type { DeclaredStack } from "./nodes.ts";
import { type EventLog, readEvents } from "./read-events.ts";
import { isYamlProgram, projectOf, readProgram, readSettings } from "./read-program.ts";
import { originOf, readStack } from "./read-state.ts";

/** Folders of files that look like a project and are deployed by nobody. */
const notLive = /(^|\/)(examples?|tests?|fixtures?|templates?|testdata|docs)\//i;
const projectFile = /(^|\/)Pulumi\.ya?ml$/;
const settingsFile = /(^|\/)Pulumi\.([^/]+)\.ya?ml$/;
const stackJson = /(^|\/)([^/]*(stack|state|export|preview)[^/]*\.json|\.pulumi\/stacks\/.*\.json)$/i;
const eventLog = /(^|\/)[^/]*events?[^/]*\.(json|jsonl|ndjson|log)$/i;

const isProject = (file: string): boolean => !notLive.test(file) && (projectFile.test(file) || settingsFile.test(file));
const isRecording = (file: string): boolean =>
  !notLive.test(file) &&
  !/(^|\/)(package|tsconfig)[^/]*\.json$/.test(file) &&
  (stackJson.test(file) || eventLog.test(file));

export const pulumiSystem: System = {
  name: "pulumi",
  claims: (file) => isProject(file) || isRecording(file),
  read: (folder) => readPulumi(folder),
};

/** Reads all stacks of a folder. */
function readPulumi(folder: Folder): Fragment {
  const notJudged: NotJudged[] = [];
  const projects = folder.files.filter(isProject);
  const stacks: DeclaredStack[] = [];
  const judged: string[] = [];
  for (const file of projects) {
    const yaml = opened(folder, file, notJudged);
    if (yaml === undefined) continue;
    judged.push(file);
    const stack = projectFile.test(file) ? programIn(file, yaml) : settingsIn(folder, file, yaml);
    if (stack) stacks.push(stack);
  }
  const logs: EventLog[] = [];
  readRecordings(folder, stacks, logs, judged, notJudged);
  const fragments = stacks.map((stack) => fragmentOf(timed(stack, logs)));
  return {
    ...emptyFragment,
    nodes: fragments.flatMap(({ nodes }) => nodes),
    edges: fragments.flatMap(({ edges }) => edges),
    judged,
    notJudged,
  };
}

function opened(folder: Folder, file: string, notJudged: NotJudged[]): YamlFile | undefined {
  const content = folder.read(file);
  const because = "text" in content ? refusal(content.text) : content.because;
  if (because !== undefined || !("text" in content)) {
    notJudged.push({ file, because: because ?? "it cannot be read" });
    return undefined;
  }
  const yaml = new YamlFile(file, content.text);
  const obstacle = yaml.obstacle ?? yaml.complaints[0]?.message;
  if (obstacle === undefined && yaml.isMap(yaml.root)) return yaml;
  notJudged.push({ file, because: obstacle ?? "it is no mapping" });
  return undefined;
}

const programIn = (file: string, yaml: YamlFile): DeclaredStack | undefined =>
  isYamlProgram(yaml) ? readProgram(file, yaml) : undefined;

/** Settings count only beside their project: any other `Pulumi.*.yaml` may be anything. */
function settingsIn(folder: Folder, file: string, yaml: YamlFile): DeclaredStack | undefined {
  const base = file.replace(/[^/]*$/, "");
  const project = ["Pulumi.yaml", "Pulumi.yml"].map((name) => `${base}${name}`).find((at) => folder.files.includes(at));
  const content = project === undefined ? undefined : folder.read(project);
  if (project === undefined || content === undefined || !("text" in content)) return undefined;
  return readSettings(file, yaml, settingsFile.exec(file)![2]!, projectOf(new YamlFile(project, content.text)));
}

/** Reads JSON by what it holds, because a name says little. Other JSON is silently none of ours. */
function readRecordings(
  folder: Folder,
  stacks: DeclaredStack[],
  logs: EventLog[],
  judged: string[],
  notJudged: NotJudged[],
): void {
  const around = { files: new Set(folder.files) };
  for (const file of folder.files.filter(isRecording)) {
    const content = folder.read(file);
    if (!("text" in content)) {
      if (stackJson.test(file)) notJudged.push({ file, because: content.because });
      continue;
    }
    const log = eventLog.test(file) ? readEvents(content.text) : undefined;
    const json = log ? undefined : parsed(content.text);
    const stack = originOf(json) ? readStack(file, content.text, json, around) : undefined;
    if (log) logs.push(log);
    if (stack) stacks.push(stack);
    if (log || stack) judged.push(file);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Adds the durations of event logs to the resources of their stacks. */
function timed(stack: DeclaredStack, logs: readonly EventLog[]): DeclaredStack {
  const own = logs.filter((log) => log.stack === stack.name && log.project === stack.project);
  if (own.length === 0) return stack;
  const resources = stack.resources.map((each) => {
    const seconds = own.flatMap((log) => log.seconds.get(each.urn) ?? []).at(-1);
    return seconds === undefined ? each : { ...each, seconds };
  });
  return { ...stack, resources };
}
