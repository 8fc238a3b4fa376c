// What an update would take from a live app: settings that the app has and the program does not say. Somebody made them
// by hand or with another program, and users or operators would feel their loss. It is pure.
import { hole } from "./known-parts.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Arguments of an app as far as they are known, or an app as Azure shows it. */
export interface AppShape {
  readonly configuration?: unknown;
  readonly template?: unknown;
  readonly identity?: unknown;
  readonly tags?: unknown;
  readonly workloadProfileName?: unknown;
  readonly kind?: unknown;
  readonly managedBy?: unknown;
  readonly patchingConfiguration?: unknown;
}

/** One kind of setting: where it is, and which of its parts a program may lose. */
interface Setting {
  readonly at: readonly string[];
  /**
   * Names the parts of a value, each with the words for it. A value without parts means nothing. What the live app does
   * with it may decide which parts mean something.
   */
  readonly parts: (value: unknown, live?: AppShape) => ReadonlyMap<string, string>;
  /** Whether a program that says another value has said enough, since the setting is one whole. */
  readonly isWhole?: true;
  /** Adds what is lost to what the program says. */
  readonly keep?: (said: unknown, live: unknown) => unknown;
}

const objectOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(objectOf) : []);
const lower = (value: unknown): string => String(value ?? "").toLowerCase();
/** The key of a part that may be any, since a preview does not know it. */
const anyKey = lower(hole);

/** The parts of a list, by a key that Azure compares without case. */
const items =
  (what: string, key: (item: Fields) => unknown, isOne: (item: Fields) => boolean = () => true): Setting["parts"] =>
  (value) =>
    new Map(
      listOf(value)
        .filter(isOne)
        .map((item) => [lower(key(item)), `the ${what} ${item["name"] ?? key(item)}`]),
    );

/** A setting that is there or not. */
const whole =
  (what: string, means: (value: unknown) => boolean): Setting["parts"] =>
  (value) =>
    new Map(means(value) ? [["whole", what]] : []);

/** Gives the program's list with the live items that it lacks. */
const keepItems =
  ({ parts }: Pick<Setting, "parts">, key: (item: Fields) => unknown) =>
  (said: unknown, live: unknown): unknown => {
    const [has, all] = [parts(said), parts(live)];
    const lost = listOf(live).filter((item) => all.has(lower(key(item))) && !has.has(lower(key(item))));
    return lost.length === 0 ? said : [...(Array.isArray(said) ? said : []), ...lost];
  };

/** Gives the program's value, or else the live one. */
const keepWhole = (said: unknown, live: unknown): unknown => said ?? live ?? undefined;

const list = (at: readonly string[], what: string, key: (item: Fields) => unknown): Setting & Required<Keeps> => {
  const parts = items(what, key);
  return { at, parts, keep: keepItems({ parts }, key) };
};
type Keeps = Pick<Setting, "keep">;

const ingress = (field: string): readonly string[] => ["configuration", "ingress", field];
const name = (item: Fields): unknown => item["name"];
const hasContent = (value: unknown): boolean =>
  typeof value === "object" && value !== null ? Object.values(value).some(hasContent) : Boolean(value);

/** Names the identities of an app: ids in lower case, and `system` for its own. */
function identitiesOf(value: unknown): ReadonlyMap<string, string> {
  const { type, userAssignedIdentities: ids } = objectOf(value);
  if (type === hole || ids === hole) return new Map([[anyKey, "an identity"]]);
  const listed = Array.isArray(ids) ? ids.map(String) : Object.keys(objectOf(ids));
  return new Map([
    ...(lower(type).includes("systemassigned") ? [["system", "the app's own identity"] as const] : []),
    ...listed.map((id) => [id.toLowerCase(), `the identity ${id}`] as const),
  ]);
}

function keepIdentities(said: unknown, live: unknown): unknown {
  const lost = [...identitiesOf(live)].filter(([id]) => !identitiesOf(said).has(id));
  if (lost.length === 0) return said;
  const all = new Map([...identitiesOf(said), ...identitiesOf(live)]);
  const given = objectOf(said)["userAssignedIdentities"];
  const ids = [
    ...(Array.isArray(given) ? given : Object.keys(objectOf(given))),
    ...lost.flatMap(([id, words]) => (id === "system" ? [] : [words.replace("the identity ", "")])),
  ];
  const types = [...(all.has("system") ? ["SystemAssigned"] : []), ...(ids.length > 0 ? ["UserAssigned"] : [])];
  return { type: types.join(","), ...(ids.length > 0 && { userAssignedIdentities: ids }) };
}

const tagsOf: Setting["parts"] = (value) =>
  new Map(Object.keys(objectOf(value)).map((tag) => [tag.toLowerCase(), `the tag ${tag}`]));

function keepTags(said: unknown, live: unknown): unknown {
  const has = tagsOf(said);
  const lost = Object.entries(objectOf(live)).filter(([tag]) => !has.has(tag.toLowerCase()));
  return lost.length === 0 ? said : { ...Object.fromEntries(lost), ...objectOf(said) };
}

const isReference = (secret: Fields): boolean => Boolean(secret["keyVaultUrl"]);
const references = items("reference of the secret", name, isReference);

/** A reference takes the place of a value of the same name. */
function keepReferences(said: unknown, live: unknown): unknown {
  const lost = listOf(live).filter((secret) => isReference(secret) && !references(said).has(lower(secret["name"])));
  const names = new Set(lost.map(({ name: each }) => lower(each)));
  const rest = (Array.isArray(said) ? said : []).filter((secret) => !names.has(lower(objectOf(secret)["name"])));
  const sent = lost.map(({ name: each, keyVaultUrl, identity }) => ({ name: each, keyVaultUrl, identity }));
  return lost.length === 0 ? said : [...rest, ...sent];
}

const domains = list(ingress("customDomains"), "domain", name);
const addresses = list(ingress("ipSecurityRestrictions"), "address rule", (rule) =>
  [rule["action"], rule["ipAddressRange"]].join(" "),
);
const ports = list(ingress("additionalPortMappings"), "port", ({ targetPort }) => targetPort);
/** The registries from which the live app pulls: without one of them, none of its replicas can start any more. */
function registriesInUse(value: unknown, live: AppShape = {}): ReadonlyMap<string, string> {
  const { containers, initContainers } = objectOf(live.template);
  const images = [...listOf(containers), ...listOf(initContainers)].map(({ image }) => lower(image));
  const pullsFrom = ({ server }: Fields): boolean => images.some((image) => image.startsWith(`${lower(server)}/`));
  return items(
    "registry",
    ({ server }) => server,
    // A server that is not known yet may be any.
    (registry) => registry === hole || registry["server"] === hole || pullsFrom(registry),
  )(value);
}

const lifecycles = {
  at: ["configuration", "identitySettings"],
  parts: items(
    "setting of the identity",
    ({ identity }) => identity,
    ({ lifecycle }) => !["", "all"].includes(lower(lifecycle)),
  ),
};

/** The settings that belong to the app, which `keepLive` can send back as they are. */
const ofTheApp = {
  customDomains: domains,
  ipSecurityRestrictions: addresses,
  clientCertificateMode: {
    at: ingress("clientCertificateMode"),
    parts: whole("the client certificate mode", (value) => !["", "ignore"].includes(lower(value))),
    isWhole: true,
    keep: keepWhole,
  },
  corsPolicy: {
    at: ingress("corsPolicy"),
    parts: whole("the CORS policy", hasContent),
    isWhole: true,
    keep: keepWhole,
  },
  additionalPortMappings: ports,
  external: {
    at: ingress("external"),
    parts: whole("the access from outside its environment", (value) => value === true),
    isWhole: true,
    keep: keepWhole,
  },
  allowInsecure: {
    at: ingress("allowInsecure"),
    parts: whole("the access without TLS", (value) => value === true),
    isWhole: true,
    keep: keepWhole,
  },
  transport: {
    at: ingress("transport"),
    parts: whole("the transport of its ingress", (value) => !["", "auto"].includes(lower(value))),
    isWhole: true,
    // Azure shows it in other letters than it takes.
    keep: (said, live) => said ?? (live ? lower(live) : undefined),
  },
  targetPortHttpScheme: {
    at: ingress("targetPortHttpScheme"),
    parts: whole("the TLS of its container", (value) => lower(value) === "https"),
    isWhole: true,
    keep: keepWhole,
  },
  dapr: {
    at: ["configuration", "dapr"],
    parts: whole("Dapr", (value) => objectOf(value)["enabled"] === true),
    isWhole: true,
    keep: keepWhole,
  },
  runtime: {
    at: ["configuration", "runtime"],
    parts: whole("the runtime's settings", hasContent),
    isWhole: true,
    keep: keepWhole,
  },
  identitySettings: { ...lifecycles, keep: keepItems(lifecycles, ({ identity }) => identity) },
  secretsByReference: { at: ["configuration", "secrets"], parts: references, keep: keepReferences },
  identity: { at: ["identity"], parts: identitiesOf, keep: keepIdentities },
  tags: { at: ["tags"], parts: tagsOf, keep: keepTags },
  workloadProfileName: {
    at: ["workloadProfileName"],
    parts: whole("the workload profile", (value) => !["", "consumption"].includes(lower(value))),
    isWhole: true,
    keep: keepWhole,
  },
  kind: {
    at: ["kind"],
    parts: whole("the kind of the app", (value) => !["", "containerapps"].includes(lower(value))),
    isWhole: true,
    keep: keepWhole,
  },
  managedBy: { at: ["managedBy"], parts: whole("what manages the app", Boolean), isWhole: true, keep: keepWhole },
  patchingConfiguration: {
    at: ["patchingConfiguration"],
    parts: whole("the patching", (value) => !["", "automatic"].includes(lower(objectOf(value)["patchingMode"]))),
    isWhole: true,
    keep: keepWhole,
  },
} as const satisfies Readonly<Record<string, Setting & Required<Keeps>>>;

/**
 * The settings that cannot be kept: those of a template, which is released as the program has it, and registries, whose
 * passwords Azure does not show.
 */
const ofTheProgram = {
  registries: { at: ["configuration", "registries"], parts: registriesInUse },
  scaleRules: { at: ["template", "scale", "rules"], parts: items("scale rule", name) },
  sidecars: { at: ["template", "containers"], parts: items("container", name) },
  initContainers: { at: ["template", "initContainers"], parts: items("init container", name) },
  volumes: {
    at: ["template", "volumes"],
    parts: items("volume", name, ({ storageType }) => lower(storageType) !== "emptydir"),
  },
  serviceBinds: { at: ["template", "serviceBinds"], parts: items("service binding", name) },
} as const satisfies Readonly<Record<string, Setting>>;

/** A setting that `keepLive` can name. */
export type KeptSetting = keyof typeof ofTheApp;
/** A setting that `acceptLoss` can name. */
export type LostSetting = KeptSetting | keyof typeof ofTheProgram;

export const keptSettings = Object.keys(ofTheApp) as readonly KeptSetting[];
export const lostSettings = [...keptSettings, ...Object.keys(ofTheProgram)] as readonly LostSetting[];
const settings: Readonly<Record<LostSetting, Setting>> = { ...ofTheApp, ...ofTheProgram };

/** A setting with the words for what would be lost of it. */
export interface Loss {
  readonly setting: LostSetting;
  readonly lost: readonly string[];
}

/**
 * Lists what an update would take from the live app.
 *
 * What a preview does not know yet counts as said: the update compares again. A value that means the same as none, such
 * as Dapr that is switched off, is no loss.
 */
export const lossesOf = (live: AppShape, said: AppShape): readonly Loss[] =>
  lostSettings.flatMap((setting) => {
    const lost = lostOf(setting, live, valueAt(said, settings[setting].at));
    return lost.length === 0 ? [] : [{ setting, lost }];
  });

function lostOf(setting: LostSetting, shape: AppShape, said: unknown): readonly string[] {
  const { at, parts, isWhole } = settings[setting];
  const live = valueAt(shape, at);
  const has = parts(said, shape);
  if (isUnclear(said, has) || (isWhole && said !== undefined && said !== null)) return [];
  const renamed = setting === "sidecars" ? renamedContainers(listOf(live), listOf(said)) : new Set();
  return [...parts(live, shape)].filter(([key]) => !(has.has(key) || renamed.has(key))).map(([, words]) => words);
}

/**
 * Names the live containers that a program has under another name: the first one, which is no sidecar, and those whose
 * image, whatever its version, is in a container that the live app does not have.
 */
function renamedContainers(live: readonly Fields[], said: readonly Fields[]): ReadonlySet<string> {
  if (live.length > said.length) return new Set();
  const names = new Set(live.map(({ name: each }) => lower(each)));
  const added = said.filter(({ name: each }) => !names.has(lower(each))).map(({ image }) => repositoryOf(image));
  const isRenamed = ({ image }: Fields, place: number): boolean =>
    place === 0 || added.includes(anyKey) || added.includes(repositoryOf(image));
  return new Set(live.filter(isRenamed).map(({ name: each }) => lower(each)));
}

/** An image without its tag and its digest. */
const repositoryOf = (image: unknown): string => lower(image).replace(/(:[^/:@]*)?(@.*)?$/, "");

/** Reports whether a part of what a program says may be any part. */
const isUnclear = (said: unknown, parts: ReadonlyMap<string, string>): boolean =>
  said === hole ||
  (Array.isArray(said) && said.includes(hole)) ||
  [...parts.keys()].some((key) => key.includes(anyKey));

const valueAt = (shape: unknown, at: readonly string[]): unknown =>
  at.reduce((value: unknown, step) => (value === hole ? hole : objectOf(value)[step]), shape);

/** Reports whether a value of a setting says nothing, such as Dapr that is switched off. */
export const meansNothing = (at: readonly string[], value: unknown): boolean =>
  Object.values(settings).some((each) => each.at.join() === at.join() && each.parts(value).size === 0);

/** The live values of settings that are kept. */
export type Kept = { readonly [setting in KeptSetting]?: unknown };

/** Gives the live values that an update sends back. */
export const keptOf = (keep: readonly KeptSetting[], live: AppShape | undefined): Kept =>
  Object.fromEntries(keep.map((setting) => [setting, valueAt(live, ofTheApp[setting].at)]));

/** Gives the path of a setting in the arguments. */
export const placeOf = (setting: KeptSetting): readonly string[] => ofTheApp[setting].at;

/** Gives what an update sends of a setting: what the program says, with what the live app has beside it. */
export const sentOf = (setting: KeptSetting, said: unknown, kept: Kept): unknown =>
  ofTheApp[setting].keep(said, kept[setting] ?? undefined);

/** Gives arguments with the settings that are kept, as far as they are known. */
export const withKept = (said: AppShape, live: AppShape, keep: readonly KeptSetting[]): AppShape =>
  keep.reduce<AppShape>((shape, setting) => {
    const { at, parts } = ofTheApp[setting];
    const value = valueAt(shape, at);
    if (isUnclear(value, parts(value))) return shape;
    return replaced(shape, at, sentOf(setting, value, keptOf([setting], live))) as AppShape;
  }, said);

function replaced(shape: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  return { ...objectOf(shape), [step]: replaced(objectOf(shape)[step], rest, value) };
}
