// Which values are secrets by where they stand, and which texts hold one. Names are read narrowly: a key that ends in
// Name, Ref or Url names a secret and is none. A finding that rests on a name alone is inferred.

/** Properties that always hold a secret, by type. */
export const secretPaths: Readonly<Record<string, readonly string[]>> = {
  "app:ContainerApp": ["configuration.secrets[].value"],
  "app:Job": ["configuration.secrets[].value"],
  "app:ManagedEnvironment": ["appLogsConfiguration.logAnalyticsConfiguration.sharedKey"],
  "compute:VirtualMachine": ["osProfile.adminPassword"],
  "containerinstance:ContainerGroup": ["containers[].environmentVariables[].secureValue"],
  "dbforpostgresql:Server": ["administratorLoginPassword"],
  "dbformysql:Server": ["administratorLoginPassword"],
  "keyvault:Secret": ["properties.value"],
  "sql:Server": ["administratorLoginPassword"],
  "web:WebApp": ["siteConfig.connectionStrings[].connectionString"],
};

const secretWords = [
  "password",
  "passwd",
  "secret",
  ...["api", "access", "account", "private", "signing"].map((which) => `${which}[_-]?key`),
  "client[_-]?secret",
  "(auth|access)[_-]?token",
  "connection[_-]?string",
];
const secretWord = new RegExp(`(^|[._-])(${secretWords.join("|")})$`, "i");

/** Whether a variable or a setting is a secret by its name. `camelCase` is read as words. */
const isSecretName = (name: string): boolean =>
  secretWord.test(name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")) && !/APPLICATIONINSIGHTS/i.test(name);

/** Texts that stand for a secret and are none: placeholders, switches, references to where the secret is. */
const harmless = [
  /^$|^<.*>$|^[*x-]+$/i,
  /^(true|false|none|null|changeme|example|placeholder|todo)$/i,
  /^\$\{|^\$[A-Z_]+$/,
  /^@Microsoft\.KeyVault\(|^https:\/\/[^/@]+\.vault\.[^/]+\/secrets\/|^secretref:/i,
  /^(\/[\w.-]+)+\/?$/,
  /^arn:|^projects\/[^/]+\/secrets\/|^(op|env|ssm|vault|file|secret):/i,
];
/** Words without digits or capitals, as names of secrets have them. A password may be a word, too. */
const plainWords = /^[a-z]+([-_.][a-z]+)*$/;

/** Whether a value under a name is a secret. */
export const isSecretValue = (name: string, text: string): boolean =>
  isSecretName(name) && !isHarmless(text) && (/passw(or)?d$/i.test(name) || !plainWords.test(text.trim()));

export const isHarmless = (text: string): boolean => harmless.some((shape) => shape.test(text.trim()));

const shapes: readonly (readonly [what: string, shape: RegExp])[] = [
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["an account key", /\bAccountKey=[A-Za-z0-9+/]{40,}={0,2}/],
  ["a shared access key", /\bSharedAccessKey=[A-Za-z0-9+/]{40,}={0,2}/],
  ["a token of GitHub", /\b(ghp|gho|ghs|ghu|github_pat)_[A-Za-z0-9_]{30,}/],
  [
    "a password in a URL",
    /\b(postgres(ql)?|mysql|mongodb(\+srv)?|redis|rediss|amqps?):\/\/[^:/\s]+:[^@/\s${}<>*]{4,}@/i,
  ],
];

/** Says which kind of secret a text holds by its shape. */
export const secretIn = (text: string): string | undefined => shapes.find(([, shape]) => shape.test(text))?.[0];
