// The child process in which GitHub's parser runs: texts of workflows in, one line of errors for each out. The parser
// imports JSON as only bundlers allow, so a hook adds what Node wants before it is loaded. Syntax that GitHub has
// released is switched on, because the parser still calls some of it experimental.
import * as nodeModule from "node:module";
import { text } from "node:stream/consumers";
import type { Answer } from "./official.ts";

const isParsersJson = (url: string): boolean => url.endsWith(".json") && url.includes("/@actions/");

// Node 20 has no hooks on its own thread, so there the same hook is given as a module.
if (typeof nodeModule.registerHooks === "function")
  nodeModule.registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      return isParsersJson(found.url) ? { ...found, format: "json", importAttributes: { type: "json" } } : found;
    },
  });
else {
  const hook =
    "export const resolve = async (specifier, context, next) => { const found = await next(specifier, context); " +
    'return found.url.endsWith(".json") && found.url.includes("/@actions/") ' +
    '? { ...found, format: "json", importAttributes: { type: "json" } } : found; };';
  nodeModule.register(`data:text/javascript,${encodeURIComponent(hook)}`);
}

const { NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow } = await import("@actions/workflow-parser");
const { TemplateContext, TemplateValidationErrors } = await import(
  "@actions/workflow-parser/templates/template-context"
);
const { getWorkflowSchema } = await import("@actions/workflow-parser/workflows/workflow-schema");
const { FeatureFlags } = await import("@actions/expressions");

/**
 * GitHub takes a text as the default of a boolean input of `workflow_dispatch` (mxschmitt/action-tmate#244), and public
 * workflows that run have it; its parser for editors does not.
 */
function isTolerated(
  { rawMessage, range }: { rawMessage: string; range?: { start: { line: number } } | undefined },
  content: string,
): boolean {
  if (!/encountered while reading 'input default'/.test(rawMessage)) return false;
  const before = content.split("\n").slice(0, range?.start.line ?? 0);
  const event = before.findLast((line) => /^\s*["']?workflow_(dispatch|call)["']?\s*:/.test(line));
  return event?.includes("workflow_dispatch") ?? false;
}

/** A message of JavaScript itself: the parser stumbled, for example over a number as a key. */
const isCrash = ({ rawMessage }: { rawMessage: string }): boolean =>
  /is not a function|Cannot read propert|is not iterable/.test(rawMessage);

/** Takes places and excerpts off a message, and advice for those who call the parser. */
function plainMessage(message: string): string {
  if (message.includes("multiple documents")) return "The file holds more than one YAML document";
  return message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "");
}

const featureFlags = new FeatureFlags({ all: true });
const send = (answer: Answer): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);

send({ index: -1, errors: [] }); // it has started
const texts = JSON.parse(await text(process.stdin)) as readonly string[];
for (const [index, content] of texts.entries()) {
  const context = new TemplateContext(
    new TemplateValidationErrors(),
    getWorkflowSchema(),
    new NoOperationTraceWriter(),
  );
  context.state["featureFlags"] = featureFlags;
  const { value } = parseWorkflow({ name: "workflow", content }, context);
  if (value !== undefined && context.errors.count === 0)
    await convertWorkflowTemplate(context, value, undefined, { featureFlags }).catch(() => undefined);
  const all = context.errors.getErrors().filter((error) => !isTolerated(error, content));
  const errors = all
    .filter((error) => !isCrash(error))
    .map(({ rawMessage, range }) => ({
      message: plainMessage(rawMessage),
      line: range?.start.line ?? 1,
      column: range?.start.column ?? 1,
    }));
  send({ index, errors, ...(all.some(isCrash) && { hasCrashed: true }) });
}
