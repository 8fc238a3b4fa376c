// The name of a release: that of the revision that Azure made. An update of the app always knows it, but a preview does
// not, whatever the update changes. So a hook says whether the update will make a revision: it compares the template
// before and after, as Pulumi will send it, with what the stack's transforms changed.
import type { ContainerApp } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import { canonical } from "../../engines/canonical.ts";
import { cutOverSuffix } from "../../engines/rotation/cut-over-names.ts";
import { canaryAppOutdated } from "../../errors/canary-app.ts";
import { refusal, takesHooks } from "../conventions.ts";
import { hookNames } from "./hook-names.ts";
import { hasHole, knownParts } from "./known-parts.ts";

/** What the hook says of an update. It does not run for an app that stays as it is. */
interface Foreseen {
  readonly isUnchanged: boolean;
  readonly revision: string | undefined;
  /** The suffix of the rotation's revision that the update leaves as it is. */
  readonly suffix: string | undefined;
}

/** The hooks of the app, and the name of its release once it is declared. */
export interface ReleaseKey {
  readonly hooks: pulumi.ResourceHookBinding;
  /** `liveRevision` is the latest revision as the live app shows it, if there is one. */
  readonly of: (app: ContainerApp, liveRevision: pulumi.Output<string | undefined>) => pulumi.Output<string>;
}

/** Reports whether an update makes no revision. An empty suffix is none, as Azure shows it. */
export const isSameTemplate = (was: unknown, will: unknown): boolean =>
  canonical(withoutEmptySuffix(was)) === canonical(withoutEmptySuffix(will));

function withoutEmptySuffix(template: unknown): unknown {
  if (typeof template !== "object" || template === null) return template;
  const { revisionSuffix, ...rest } = template as { readonly revisionSuffix?: unknown };
  return revisionSuffix ? template : rest;
}

/** Returns what names the release of one app. */
export function releaseKey(name: string, hasSlots: boolean): ReleaseKey {
  let foreseen: Foreseen | undefined;
  const compare = async ({ oldInputs, newInputs, oldOutputs }: pulumi.ResourceHookArgs): Promise<void> => {
    const { was, will } = await knownParts({ was: oldInputs?.["template"], will: newInputs?.["template"] });
    const isUnchanged = !hasHole(will) && isSameTemplate(was, will);
    foreseen = { isUnchanged, revision: oldOutputs?.["latestRevisionName"], suffix: suffixIn(will) };
  };
  const of: ReleaseKey["of"] = (app, liveRevision) =>
    app.urn.apply((): pulumi.Output<string> => {
      if (foreseen === undefined) return unlessOutdated({ name, hasSlots }, app.latestRevisionName, liveRevision);
      // After an update the app itself says which revision is the latest.
      if (!pulumi.runtime.isDryRun()) return app.latestRevisionName;
      const { isUnchanged, revision, suffix } = foreseen;
      if (isUnchanged && revision) return pulumi.output(revision);
      return liveRevision.apply(
        (live): pulumi.Output<string> =>
          suffix && live?.endsWith(`--${suffix}`) ? pulumi.output(live) : app.latestRevisionName,
      );
    });
  if (!takesHooks()) return { hooks: {}, of };
  const hook = new pulumi.ResourceHook(hookNames(name)("release-foreseen"), compare, { onDryRun: true });
  return { hooks: { beforeCreate: [hook], beforeUpdate: [hook] }, of };
}

/** Gives the suffix that an update sends. A program may send none, so it is that of a revision that a rotation made. */
const suffixIn = (template: unknown): string | undefined => {
  const { revisionSuffix } = (hasHole(template) ? {} : (template ?? {})) as { readonly revisionSuffix?: string };
  return revisionSuffix;
};

/**
 * Refuses a run that does not see a revision that another client made: the state would say that all is as it was, while
 * users are on that revision. One that a rotation made has the released template and names the other slot.
 */
const unlessOutdated = (
  { name, hasSlots }: { readonly name: string; readonly hasSlots: boolean },
  latest: pulumi.Output<string>,
  liveRevision: pulumi.Output<string | undefined>,
): pulumi.Output<string> =>
  pulumi.all([latest, liveRevision]).apply(([inState, live]) => {
    const isOfRotation = hasSlots && cutOverSuffix(live?.split("--")[0] ?? "", live) !== undefined;
    if (live && inState && live !== inState && !isOfRotation)
      throw refusal(canaryAppOutdated({ name, known: inState, live }));
    return inState;
  });
