// Holds the code to reading every HTTP answer with a limit, and shows that the law sees what it is about.
import { join } from "node:path";
import { expect, test } from "vitest";
import { boundedAnswerReading } from "../support/repository/answer-law.ts";
import { readRepository } from "../support/repository/source.ts";

test("the repository reads no answer without a limit on bytes and on time", () =>
  expect(boundedAnswerReading(readRepository(join(import.meta.dirname, "..", "..")))).toEqual([]));

test.each([
  "const text = await response.text();",
  "const page = (await answered.json()) as object;",
  "const all = await answer.arrayBuffer();",
  "for await (const chunk of response.body ?? []) keep(chunk);",
  "const reader = answer.body?.getReader();",
  'import { LogsQueryClient } from "@azure/monitor-query-logs";\nconst logs = new LogsQueryClient(credential);',
  'const identity = await import("@azure/identity");\nconst c = new identity.ClientSecretCredential(a, b, c);',
])("the law finds %j", (text) => {
  const file = { text, executable: false };
  expect(boundedAnswerReading([{ ...file, path: "client/a.ts" }])).toHaveLength(1);
  expect(boundedAnswerReading([{ ...file, path: "test/a.test.ts" }])).toEqual([]);
});

test("the law permits what http-answer.ts reads, and clients with its policy", () => {
  const client =
    'import { LogsQueryClient } from "@azure/monitor-query-logs";\nnew LogsQueryClient(c, boundedAnswers);';
  expect(
    boundedAnswerReading([
      { path: "http-answer.ts", text: "await response.text();", executable: false },
      { path: "client/a.ts", text: `await textOf(response.body, limits);\n${client}`, executable: false },
    ]),
  ).toEqual([]);
});
