// The forms of arguments that several components have: words, names, addresses and places.
import { number, object, read, text } from "../engines/form.ts";
import { secretName } from "../engines/rollout/intent.ts";
import { hidden, input, plain } from "./arguments.ts";
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

/** An address is none, nor is a name whose end is empty, or what JavaScript makes of a value that is not there. */
export const imageName = text("an image's name, such as example.azurecr.io/shop:1", {
  pattern: "^(?!.*://)(?!(.*[:/@])?(undefined|null|NaN)?$)\\S+$",
});
export const image = plain(imageName);
export const address = text("an https address without a path", {
  pattern: "^(https://[^/?#@\\s]+|http://127\\.0\\.0\\.1(:\\d+)?)/?$",
});
export const host = text("a host name without a scheme", { pattern: "^[^\\s/]+$" });
export const seconds = plain(number({ above: 0 }));
export const secret = hidden(input(word));
export const port = plain(number({ least: 1, most: 65_535, whole: true, what: "a port number" }));
export const variableName = text("a variable's name: letters, digits, underscores, hyphens and dots, no digit first", {
  pattern: "^[A-Za-z_.\\-][A-Za-z0-9_.\\-]*$",
});

/** The registry of an image, and the identity that pulls from it. */
export const pull = plain(object({ server: host, identity: word }));

/** Names a secret that does not exist. A text that is no secret's name is left out: it may be the value, by mistake. */
export const quotedSecret = (name: string): string =>
  "value" in read(secretName, name) ? `the secret "${name}"` : "a secret by a text that is no secret's name";
