// Workbooks as Resource Manager serves them: kept as they were sent, and refused by name where Azure refuses.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";

let at: CloudForTests;
let group: string;
beforeAll(async () => {
  at = await startCloudForTests();
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/pages`;
  await at.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
});
afterAll(() => at?.close());

const name = "6f1c2d3e-0000-4000-8000-00000000beef";
const valid = {
  displayName: "web: service",
  category: "workbook",
  serializedData: JSON.stringify({ version: "Notebook/1.0", items: [] }),
};
const put = (properties: object, more: object = {}, as = name) =>
  at.ask("PUT", `${group}/providers/Microsoft.Insights/workbooks/${as}?api-version=2023-06-01`, {
    location: "westeurope",
    kind: "shared",
    properties,
    ...more,
  });

test("a workbook is kept as it was sent, and each write is a revision of its own", async () => {
  const first = await put(valid);
  expect(first).toMatchObject({ status: 201, body: { name, kind: "shared", properties: valid } });
  const second = await put({ ...valid, displayName: "another" });
  expect(second.body.properties.displayName).toBe("another");
  expect(second.body.properties.userId).toBe(first.body.properties.userId);
  expect(second.body.properties.revision).not.toBe(first.body.properties.revision);
});

test.each<[string, object, object?, string?]>([
  ["an empty name for people", { ...valid, displayName: " " }],
  ["content that is no JSON", { ...valid, serializedData: "{" }],
  ["content that is another document", { ...valid, serializedData: "[]" }],
  ["no content", { displayName: "web", category: "workbook" }],
  ["a source that is nothing", { ...valid, sourceId: "web" }],
  ["a storage account of its own", { ...valid, storageUri: "/subscriptions/s" }],
  ["another kind", valid, { kind: "user" }],
  ["a name that is no GUID", valid, {}, "page"],
])("%s is refused", async (_what, properties, more, as) => {
  const { status } = await put(properties, more, as);
  expect(status).toBe(400);
});
