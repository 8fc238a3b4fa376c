// Names in Pulumi: the parts of a URN, types without provider and version, and the environment that a stack's name
// says. Azure's SDK writes one type in several ways, and rules must see them as one.

/** Gives the name that the program gave a resource. */
export function nameOf(urn: string): string {
  let at = 0;
  for (let part = 0; part < 3; part += 1) {
    const next = urn.indexOf("::", at);
    if (next < 0) return "";
    at = next + 2;
  }
  return urn.slice(at);
}

/** Gives the stack and the project of a URN. */
export function ownerOf(urn: string): { readonly stack: string; readonly project: string } {
  const [stack = "", project = ""] = urn.replace(/^urn:pulumi:/, "").split("::");
  return { stack, project };
}

/**
 * Gives a type without provider and version: `azure-native:app/v20250701:ContainerApp`,
 * `azure-native_app_v20250701:app:ContainerApp` and `azure-native:app:ContainerApp` are all `app:ContainerApp`.
 */
export function typeOf(token: string): string {
  const [provider = "", module = "", name = ""] = token.split(":");
  if (!provider.startsWith("azure-native")) return token;
  return `${module.replace(/\/v\d{8}(preview|privatepreview)?$/i, "").replace(/^insights$/, "monitor")}:${name}`;
}

/** The environments that names tell apart. */
export type Environment = "development" | "test" | "staging" | "production";

const words: Readonly<Record<Environment, readonly string[]>> = {
  development: ["dev", "develop", "development"],
  test: ["test", "tst", "qa", "uat", "ci"],
  staging: ["stage", "staging", "stg", "preprod", "preproduction", "nonprod"],
  production: ["prod", "prd", "production", "live"],
};

const byWord = new Map(
  Object.entries(words).flatMap(([environment, all]) => all.map((word) => [word, environment as Environment] as const)),
);

/** Gives the environment that a name says; undefined if it says none, or several. */
export function environmentOf(name: string): Environment | undefined {
  const found = new Set(environmentsIn(name).map(({ environment }) => environment));
  return found.size === 1 ? [...found][0] : undefined;
}

/** Gives the environments that whole words of a text name. */
export const environmentsIn = (text: string): readonly { readonly word: string; readonly environment: Environment }[] =>
  text.split(/[^A-Za-z0-9]+/).flatMap((word) => {
    const environment = byWord.get(word.toLowerCase().replace(/\d+$/, ""));
    return environment === undefined ? [] : [{ word, environment }];
  });
