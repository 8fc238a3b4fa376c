// Errors of the policy pack and of `ballast policy check`. What they find in a stack is a finding, not an error; these
// are about files, configuration and stacks that cannot be read.
import { entry } from "./catalogue.ts";

/** The settings file has fields that are wrong. */
export const policySettingsRefused = entry<{ file: string; complaints: readonly string[] }>("policy-settings-refused", {
  exitCode: 2,
  title: "Settings of the policies refused",
  variants: [{ complaints: ["ballast.policies.yaml:4 a waiver needs owner"] }],
  message: ({ file, complaints }) => `${file} is not applied: ${complaints.join("; ")}.`,
  fix: () => "correct these lines; docs/guides/policies.md describes the file",
});

/** The baseline is not one. */
export const policyBaselineUnreadable = entry<{ file: string }>("policy-baseline-unreadable", {
  exitCode: 2,
  title: "Baseline of the policies unreadable",
  message: ({ file }) => `${file} was not written by \`ballast policy check --write-baseline\`.`,
  fix: () => "restore the file from git, or remove it and write it again",
});

/** A baseline exists, and would grow. */
export const policyBaselineExists = entry<{ file: string; stack: string }>("policy-baseline-exists", {
  title: "Baseline of the policies may not grow",
  message: ({ file, stack }) => `${file} has entries of the stack ${stack} already, and a baseline may only shrink.`,
  fix: () => "use --shrink-baseline to take out what is no longer found, and fix or waive what is new",
  left: () => "Nothing was changed.",
});

/** The configuration of the pack names what is no policy. */
export const policyUnknown = entry<{ names: readonly string[] }>("policy-unknown", {
  title: "Unknown policy in the pack's configuration",
  variants: [{ names: ["image-by-tag"] }],
  message: ({ names }) => `The configuration of the pack names policies that it does not have: ${names.join(", ")}.`,
  fix: () => "correct the names; docs/reference/rules/README.md lists them",
});

/** The state cannot be read. */
export const policyStateUnreadable = entry<{ what: string; reason: string }>("policy-state-unreadable", {
  exitCode: 2,
  title: "Stack to check unreadable",
  message: ({ what, reason }) => `${what} cannot be judged: ${reason}.`,
  fix: () => "give --stack a stack of the project in this folder, or --file the output of `pulumi stack export`",
});
