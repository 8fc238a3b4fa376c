// What can be wrong with a stack's configuration. Values of secret keys never come into these sentences.
import { entry } from "./catalogue.ts";

const file = (key: string) => `ballast:${key} in the stack's Pulumi.<stack>.yaml`;

/** Most often a slip of the pen, so the nearest known key is named. */
export const configKeyUnknown = entry<{ readonly key: string; readonly nearest: string }>("config-key-unknown", {
  title: "A key of the configuration is unknown",
  message: ({ key }) => `The configuration sets ballast:${key}, which nothing reads.`,
  fix: ({ key, nearest }) =>
    `rename it to ballast:${nearest} if that was meant, else remove it: pulumi config rm --path ballast:${key}`,
});

/** A key without a default that the stack does not set. */
export const configKeyMissing = entry<{ readonly key: string }>("config-key-missing", {
  title: "A key of the configuration is missing",
  message: ({ key }) =>
    `The configuration does not set ${key}, and there is no value that would be right for everybody.`,
  fix: ({ key }) => `set it: pulumi config set ${key} <value>`,
});

/** A value of another type than its key's. */
export const configValueIllTyped = entry<{ readonly key: string; readonly expected: string; readonly found: string }>(
  "config-value-ill-typed",
  {
    title: "A value of the configuration has the wrong type",
    message: ({ key, expected, found }) => `ballast:${key} must be ${expected}, and it is ${found}.`,
    fix: ({ key }) => `correct ${file(key)}`,
  },
);

/** The example was copied and not filled in. */
export const configPlaceholderLeft = entry<{ readonly key: string; readonly value: string }>(
  "config-placeholder-left",
  {
    title: "A placeholder of the example was not replaced",
    message: ({ key, value }) => `${key} is still the placeholder "${value}" of the example.`,
    fix: ({ key }) => `put your own value there: pulumi config set ${key} <value>`,
  },
);

/** A secret that lies readable in a file which is likely to be committed. */
export const configSecretPlain = entry<{ readonly key: string }>("config-secret-plain", {
  title: "A secret of the configuration is in plain text",
  message: ({ key }) => `ballast:${key} lies in plain text in the stack's configuration file.`,
  fix: ({ key }) =>
    `change that secret, since it must be taken as known, and set it encrypted: pulumi config set --secret ballast:${key}`,
});

/** Two keys that do not go together: a database with a password, and no password. */
export const configPasswordMissing = entry("config-password-missing", {
  title: "The database is to take a password, and there is none",
  message: () => "ballast:databaseAuthentication is password, and ballast:databasePassword is not set.",
  fix: () =>
    "set one, pulumi config set --secret ballast:databasePassword, or set ballast:databaseAuthentication to entra, which needs none",
});

/** Two keys that do not go together: a request longer than the lease it is sent under. */
export const configLeaseTooShort = entry<{ readonly leaseSeconds: number; readonly requestSeconds: number }>(
  "config-lease-too-short",
  {
    title: "A request could outlive the lease under which it was sent",
    message: ({ leaseSeconds, requestSeconds }) =>
      `A lease lasts ${leaseSeconds} seconds and a request may take ${requestSeconds}, so a late write could arrive after another process has taken over.`,
    fix: () => "set ballast:requestSeconds to less than ballast:leaseSeconds; two thirds of it is a good choice",
  },
);

/** Two keys that do not go together: a dead man's switch that would take a control plane at work for a dead one. */
export const configSilenceTooShort = entry<{ readonly silenceSeconds: number; readonly quietSeconds: number }>(
  "config-silence-too-short",
  {
    title: "The dead man's switch would act while a healthy control plane waits for Azure",
    message: ({ silenceSeconds, quietSeconds }) =>
      `The switch acts on a rollout of which nothing was written for ${silenceSeconds * 2} seconds, and a healthy one may be quiet for ${quietSeconds} while Azure carries out a write.`,
    fix: ({ quietSeconds }) =>
      `set ballast:silenceSeconds to more than ${quietSeconds / 2}, or ballast:requestSeconds to less`,
  },
);

/** A stack that takes digests alone. */
export const configImageMutable = entry<{ readonly key: string; readonly image: string }>("config-image-mutable", {
  title: "An image is named by a tag where only digests are taken",
  message: ({ key, image }) =>
    `ballast:${key} is ${image}, a tag that may mean another image tomorrow, and ballast:immutableImages is true.`,
  fix: () =>
    "name it by its digest, <registry>/<name>@sha256:…; `ballast image build` prints it, and `ballast promote` copies it from another stack",
});

/** A stack whose releases somebody has to say yes to. */
export const configImageUnapproved = entry<{
  readonly image: string;
  readonly approvals: number;
  readonly by: readonly string[];
}>("config-image-unapproved", {
  title: "An image has not been approved for a stack",
  message: ({ image, approvals, by }) =>
    `This stack takes an image of the storefront with ${approvals} approvals, and ${image} has ${by.length === 0 ? "none" : `${by.length}, by ${by.join(" and ")}`}.`,
  fix: () =>
    "let whoever approves it say so: `ballast promote storefront --from <stack> --to <stack> --approved-by <name>`",
});

/** Keys that do not go together: zones that something of the stack cannot be spread over. */
export const configZonesUnfit = entry<{ readonly why: string }>("config-zones-unfit", {
  title: "A stack cannot be spread over zones as it is configured",
  message: ({ why }) => `ballast:zoneRedundant is true, and ${why}.`,
  fix: () =>
    "change what it names, or set ballast:zoneRedundant to false; an environment cannot be made zone-redundant later",
});

/** A choice of network that Azure would refuse, or in which something would not be reached. */
export const configNetworkUnfit = entry<{ readonly why: string }>("config-network-unfit", {
  title: "A stack cannot live in the network that it is given",
  message: ({ why }) => `This network cannot be: ${why}.`,
  fix: () =>
    "correct ballast:network in the stack's Pulumi.<stack>.yaml; docs/guides/network.md has a choice for each need, and none of them can be changed later",
  left: () => "nothing was changed.",
});

/** Two keys that do not go together; neither cloud may be taken for the other. */
export const configStandInMismatch = entry<{ readonly standIn: boolean; readonly subscription: string }>(
  "config-stand-in-mismatch",
  {
    title: "A stack names a real subscription and the stand-in cloud, or neither",
    message: ({ standIn, subscription }) =>
      standIn
        ? `ballast:standIn is true, and azure-native:subscriptionId is ${subscription}, which is not the stand-in's.`
        : `azure-native:subscriptionId is ${subscription}, the stand-in's, and ballast:standIn is not true.`,
    fix: () =>
      "say one thing: the stand-in with its own subscription, as Pulumi.local.yaml does, or Azure with yours and without ballast:standIn",
    left: () => "nothing was changed.",
  },
);
