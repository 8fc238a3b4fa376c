// The child process in which GitHub's parser runs: texts of workflows in, one line of errors for each out. The parser
// imports JSON as only bundlers allow, so a hook adds what Node wants before it is loaded.
import { registerHooks } from "node:module";
import { text } from "node:stream/consumers";
import type { Answer } from "./official.ts";

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const isJson = found.url.endsWith(".json") && found.url.includes("/@actions/");
    return isJson ? { ...found, format: "json", importAttributes: { type: "json" } } : found;
  },
});

const { NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow } = await import("@actions/workflow-parser");
const send = (answer: Answer): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);

send({ index: -1, errors: [] }); // it has started
const texts = JSON.parse(await text(process.stdin)) as readonly string[];
for (const [index, content] of texts.entries()) {
  const result = parseWorkflow({ name: "workflow", content }, new NoOperationTraceWriter());
  if (result.value !== undefined && result.context.errors.count === 0)
    await convertWorkflowTemplate(result.context, result.value).catch(() => undefined);
  const errors = result.context.errors.getErrors().map(({ rawMessage, range }) => ({
    message: rawMessage,
    line: range?.start.line ?? 1,
    column: range?.start.column ?? 1,
  }));
  send({ index, errors });
}
