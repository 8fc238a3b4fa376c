// Forms of single values that only the configuration has: Azure's names, ids, sizes and addresses, and what YAML makes
// of environment variables. The language of forms is engines/form.ts.
import { type About, dictionary, type Form, list, text } from "../engines/form.ts";

export const word = text("a text that is not empty");
export const urlPath = text("a path that begins with /", { pattern: "^/" });
export const address = (about: About<string> = {}): Form<string> =>
  text("an https:// address without a path", { pattern: "^https://[^/\\s]+$", ...about });
export const cidr = (about: About<string> = {}): Form<string> =>
  text("an IPv4 range in CIDR notation, such as 10.40.0.0/22", {
    pattern: "^(\\d{1,3}\\.){3}\\d{1,3}/\\d{1,2}$",
    ...about,
  });
export const sku = text("an Azure size that begins with Standard_B, Standard_D or Standard_E", {
  pattern: "^Standard_[BDE]\\w+$",
});
const email = text("an e-mail address", { pattern: "^[^@\\s]+@[^@\\s]+$" });

/** Gives a pattern for a word in any case, because Azure ignores case in ids; schemas have no flag for that. */
const anyCase = (literal: string): string =>
  literal.replace(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`).replaceAll(".", "\\.");

/** Gives a pattern of a type and a name after it, as an id has them. */
const namedPart = (type: string): string => `${anyCase(type)}/[^/]+`;

/** Gives a pattern of ids of resources in a resource group. */
const resourceId = (typeAndName: string): string =>
  `/${anyCase("subscriptions")}/[^/]+/${anyCase("resourceGroups")}/[^/]+/${anyCase("providers")}/${typeAndName}`;

const registryId = resourceId(`${anyCase("Microsoft.ContainerRegistry/registries")}/[A-Za-z0-9]{5,50}`);
export const registry = text(
  "a registry's name (5 to 50 lower-case letters and digits) or the id of an existing registry",
  { pattern: `^([a-z0-9]{5,50}|${registryId})$` },
);

/** Gives the form of ids of Microsoft.Network resources; `types` are the resource types along the path. */
export const networkId = (what: string, types: readonly string[], description: string): Form<string> =>
  text(`the id of ${what}`, {
    pattern: `^${resourceId([anyCase("Microsoft.Network"), ...types.map(namedPart)].join("/"))}$`,
    otherwise: "",
    description,
  });

/** A list of e-mail addresses, by default an empty one. */
export const emails = (description: string): Form<readonly string[]> =>
  list(email, { what: "a list of e-mail addresses", otherwise: [], description });

/** YAML reads `5` and `true` as a number and a boolean; a process gets strings. */
const scalar: Form<string> = {
  schema: { type: ["string", "number", "boolean"] },
  read: (given, { problems }) => {
    if (!["string", "number", "boolean"].includes(typeof given))
      problems.push({ kind: "shape", at: [], expected: "a text, a number, true or false", found: given });
    return String(given);
  },
};

/** Environment variables by name. */
export const environmentVariables = dictionary(scalar);
