// Microsoft.Insights/workbooks: a page of queries that people open in the portal. Its content is checked as JSON, kept
// and shown as it is: this emulator has no portal.
import { randomUUID } from "node:crypto";
import { refusedToo } from "../arm/refusals.ts";
import type { Body, ResourceType } from "../arm/resource.ts";
import { workbookFields } from "./fields.ts";

const charactersMax = 1_000_000;

/** Workbooks, as Resource Manager serves them. */
export const workbooks: ResourceType = {
  type: "Microsoft.Insights/workbooks",
  apiVersions: ["2023-06-01"],
  patches: [
    "kind",
    "tags",
    ...["displayName", "serializedData", "category", "tags", "description"].map((name) => `properties.${name}`),
  ],
  fields: workbookFields,
  onPut: async ({ wanted, previous, cloud }) => {
    const { displayName = "", serializedData = "", sourceId } = (wanted["properties"] ?? {}) as Body;
    if (String(displayName).trim() === "") throw refusedToo("The displayName of a workbook is empty.");
    const content = String(serializedData);
    if (content.length > charactersMax)
      throw refusedToo(`The content of a workbook has at most ${charactersMax} characters.`);
    if (!isWorkbook(content)) throw refusedToo("The serializedData of a workbook is not the JSON of a workbook.");
    if (typeof sourceId === "string" && !/^(\/subscriptions\/[^/]+\/|azure monitor$)/i.test(sourceId))
      throw refusedToo(`The sourceId '${sourceId}' is neither the id of a resource nor 'Azure Monitor'.`);
    const before = previous?.body["properties"];
    wanted["properties"] = {
      ...wanted["properties"],
      timeModified: new Date(cloud.clock.now()).toISOString(),
      userId: before?.userId ?? randomUUID(),
      revision: randomUUID().replaceAll("-", ""),
    };
  },
};

/** Reports whether a text is JSON with a version and a list of items, as each workbook is. */
function isWorkbook(text: string): boolean {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content !== "object" || content === null) return false;
    const { version, items } = content as { readonly version?: unknown; readonly items?: unknown };
    return typeof version === "string" && Array.isArray(items);
  } catch {
    return false;
  }
}
