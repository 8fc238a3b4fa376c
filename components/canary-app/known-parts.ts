// What a preview knows of inputs. One output that is not known yet hides a whole object from `apply`, so a check would
// see nothing of an app whose image is still being built. Here the rest stays visible, and a hole stands for each value
// that is not known.
import * as pulumi from "@pulumi/pulumi";
import { isUnknown } from "@pulumi/pulumi/output.js";

/**
 * Stands for a value that a preview does not know. Unlike a symbol it may be a part of a text. It has no prototype and
 * no fields that show, so that nothing takes it for a plain object and copies it.
 */
export const hole: object = Object.freeze(
  Object.create(null, { toString: { value: () => "a value not known yet" } }) as object,
);

/** Reports whether a value is not known, or a part of it is not. */
export const hasHole = (value: unknown): boolean =>
  value === hole || (typeof value === "object" && value !== null && Object.values(value).some(hasHole));

/** The SDK runs a callback with the unknown parts of a value only if it is asked to, which its types do not mention. */
type ApplyToParts = <Result>(
  func: (value: unknown) => pulumi.Input<Result>,
  withUnknowns: true,
) => pulumi.Output<Result>;

/**
 * Computes a value from the known parts of inputs.
 *
 * The result is not marked as a secret, even if a part of the inputs is one: return nothing of a part that may be.
 */
export function fromKnownParts<Result>(
  inputs: object,
  compute: (parts: never) => pulumi.Input<Result>,
): pulumi.Output<Result> {
  const whole: { readonly apply: unknown } = pulumi.output(inputs);
  const apply = (whole.apply as ApplyToParts).bind(whole);
  return pulumi.unsecret(apply<Result>((value) => compute(withHoles(value) as never), true)) as pulumi.Output<Result>;
}

/**
 * Waits for inputs, with a hole for each part that a preview does not know. A part may be a secret, which must stay in
 * this process.
 */
export const knownParts = (inputs: object): Promise<Readonly<Record<string, unknown>>> =>
  new Promise((resolve) => void fromKnownParts(inputs, (parts) => resolve(parts)));

function withHoles(value: unknown): unknown {
  if (isUnknown(value)) return hole;
  if (Array.isArray(value)) return value.map(withHoles);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withHoles(each)]));
}

/**
 * Changes an input, and leaves its outputs as they are unless the input is one itself.
 *
 * `pulumi.output` would resolve an object with all its parts: a single secret then marks the whole as one, and a single
 * unknown value hides it.
 */
export function mapInput<Given, Result>(
  input: pulumi.Input<Given>,
  change: (given: Given) => Result,
): pulumi.Input<Result> {
  const isLater = pulumi.Output.isInstance(input) || input instanceof Promise;
  return isLater
    ? (pulumi.output(input).apply((given) => change(given as Given)) as pulumi.Output<Result>)
    : change(input as Given);
}
