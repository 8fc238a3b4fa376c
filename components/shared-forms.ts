// The forms of arguments that several components have: words, names, and the place of a component's resources.
import { text } from "../engines/form.ts";
import { input, plain } from "./arguments.ts";
import { nameShapes } from "./conventions.ts";

export const word = text("a text that is not empty", { pattern: "\\S" });
const groupId = plain(
  text("the id of a resource group: /subscriptions/<id>/resourceGroups/<name>", {
    pattern: "^/[sS]ubscriptions/[^/\\s]+/[rR]esource[gG]roups/[^/\\s]+$",
  }),
);
export const groupName = text("the name of a resource group", {
  pattern: "^[\\p{L}\\p{N}_().\\-]{0,89}[\\p{L}\\p{N}_()\\-]$",
});

/** Where a component's resources are. */
export const place = { scope: groupId, resourceGroupName: input(groupName), location: plain(word) };

export const appName = text(`a container app's name: ${nameShapes.app.rule}`, {
  pattern: nameShapes.app.pattern.source,
});
