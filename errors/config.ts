// What can be wrong with a stack's configuration. All of it is refused at preview, before anything changes. No message
// holds the value of a secret key.
import { entry } from "./catalogue.ts";

/** Most often a typing mistake, so the error names the nearest known key. */
export const configKeyUnknown = entry<{ readonly key: string; readonly nearest: string }>("config-key-unknown", {
  title: "A configuration key is unknown",
  message: ({ key }) => `The configuration sets ballast:${key}, but there is no such key.`,
  fix: ({ key, nearest }) =>
    `rename it to ballast:${nearest} if you meant that, or remove it: pulumi config rm --path ballast:${key}`,
});

/** The stack does not set a key that has no default. */
export const configKeyMissing = entry<{ readonly key: string }>("config-key-missing", {
  title: "A required configuration key is not set",
  message: ({ key }) => `Required configuration ${key} is not set; it has no default.`,
  fix: ({ key }) => `set it: pulumi config set ${key} <value>`,
});

/** Values have the wrong type, form or range; the message names every one. */
export const configValueIllTyped = entry<{ readonly complaints: readonly string[]; readonly keys: readonly string[] }>(
  "config-value-ill-typed",
  {
    title: "A configuration value is not valid",
    message: ({ complaints }) => `Invalid configuration: ${complaints.join(" ")}`,
    fix: ({ keys }) => `correct ${keys.join(", ")} in the stack's Pulumi.<stack>.yaml`,
  },
);

/** The example's stack file was copied and not filled in. */
export const configPlaceholderLeft = entry<{ readonly key: string; readonly value: string }>(
  "config-placeholder-left",
  {
    title: "A placeholder of the example was not replaced",
    message: ({ key, value }) => `${key} still has the example's placeholder: "${value}".`,
    fix: ({ key }) => `replace it with your own value: pulumi config set ${key} <value>`,
  },
);

/** A secret is readable in a file that is likely to be committed. */
export const configSecretPlain = entry<{ readonly key: string }>("config-secret-plain", {
  title: "A secret is in plain text in the configuration",
  message: ({ key }) => `The secret ballast:${key} is in plain text in the stack's configuration file.`,
  fix: ({ key }) =>
    "replace the secret, since others may have read it, and set the new one encrypted: " +
    `pulumi config set --secret ballast:${key}`,
});

/** The database authenticates by password, but none is set. */
export const configPasswordMissing = entry("config-password-missing", {
  title: "The database's password is not set",
  message: () => "ballast:databaseAuthentication is password, but ballast:databasePassword is not set.",
  fix: () =>
    "set a password (pulumi config set --secret ballast:databasePassword), or set ballast:databaseAuthentication " +
    "to entra, which needs none",
});

/** A request may take longer than the lease under which it was sent. */
export const configLeaseTooShort = entry<{ readonly leaseSeconds: number; readonly requestSeconds: number }>(
  "config-lease-too-short",
  {
    title: "A request could outlive its lease",
    message: ({ leaseSeconds, requestSeconds }) =>
      `ballast:requestSeconds (${requestSeconds}) is not less than ballast:leaseSeconds (${leaseSeconds}), so a ` +
      "late write could arrive after another replica has recovered the rollout.",
    fix: () => "set ballast:requestSeconds below ballast:leaseSeconds, for example to half of ballast:leaseSeconds",
  },
);

/** The dead man's switch would act although the control plane is at work. */
export const configSilenceTooShort = entry<{ readonly silenceSeconds: number; readonly quietSeconds: number }>(
  "config-silence-too-short",
  {
    title: "The dead man's switch would act while a healthy control plane recovers a rollout",
    message: ({ silenceSeconds, quietSeconds }) =>
      `The dead man's switch counts a rollout that was left alone for ${silenceSeconds} seconds as lost, but it ` +
      `takes a healthy control plane up to ${quietSeconds} seconds to recover the rollouts of a replica that died.`,
    fix: ({ quietSeconds }) =>
      `set ballast:silenceSeconds to more than ${quietSeconds}, or set ballast:leaseSeconds lower`,
  },
);

/** The stack accepts digests only. */
export const configImageMutable = entry<{ readonly key: string; readonly image: string }>("config-image-mutable", {
  title: "An image is named by its tag in a stack that requires digests",
  message: ({ key, image }) =>
    `ballast:${key} is ${image}, but ballast:immutableImages is true: ` +
    "a tag can be moved to another image, a digest cannot.",
  fix: () =>
    "name the image by its digest, <registry>/<name>@sha256:…; " +
    "`ballast image build` prints it, and `ballast promote` copies it from another stack",
});

/** The stack requires approvals of the storefront's image. */
export const configImageUnapproved = entry<{
  readonly image: string;
  readonly approvals: number;
  readonly by: readonly string[];
}>("config-image-unapproved", {
  title: "An image lacks approvals",
  variants: [{ by: [] }, {}],
  message: ({ image, approvals, by }) =>
    `This stack requires ${approvals} approvals (ballast:approvals) of a storefront image, but ${image} has ` +
    `${by.length === 0 ? "none" : `${by.length}, by ${by.join(" and ")}`}.`,
  fix: () => "let an approver run: ballast promote storefront --from <stack> --to <stack> --approved-by <name>",
});

/** Part of the stack cannot be spread over zones. */
export const configZonesUnfit = entry<{ readonly why: string }>("config-zones-unfit", {
  title: "A stack cannot be zone-redundant as it is configured",
  message: ({ why }) => `ballast:zoneRedundant is true, but this stack cannot be zone-redundant: ${why}.`,
  fix: () =>
    "correct the key that the message names, or set ballast:zoneRedundant to false; " +
    "an environment cannot be made zone-redundant later",
});

/** Azure would refuse the network, or a part of the stack could not be reached in it. */
export const configNetworkUnfit = entry<{ readonly why: string }>("config-network-unfit", {
  title: "The configured network is not valid",
  message: ({ why }) => `ballast:network is not valid: ${why}.`,
  fix: () =>
    "correct ballast:network in the stack's Pulumi.<stack>.yaml; " +
    "docs/guides/network.md lists the choices, none of which can be changed later",
  left: () => "Nothing was changed.",
});

/** The emulator and Azure must never be mistaken for one another. */
export const configEmulatorMismatch = entry<{ readonly emulator: boolean; readonly subscription: string }>(
  "config-emulator-mismatch",
  {
    title: "ballast:emulator does not match the subscription",
    variants: [{ emulator: true }, { emulator: false }],
    message: ({ emulator, subscription }) =>
      emulator
        ? `ballast:emulator is true, but azure-native:subscriptionId is ${subscription}, which is not the emulator's.`
        : `azure-native:subscriptionId is ${subscription}, the emulator's, but ballast:emulator is not true.`,
    fix: () =>
      "for the emulator, use its own subscription, as Pulumi.local.yaml does; " +
      "for Azure, use your subscription and remove ballast:emulator",
    left: () => "Nothing was changed.",
  },
);
