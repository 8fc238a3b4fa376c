// What a preview says that does not see the whole app. It is pure.
import type { Planned } from "./adopt.ts";
import type { LiveSlots } from "./credential-slots.ts";
import { hole } from "./known-parts.ts";

/** What a preview says that cannot read the live app. */
export const unread = (name: string): string =>
  `The live app of "${name}" cannot be read yet, since its name or its group is not known. ` +
  "The update compares with it before the first write.";

/** What a preview says that does not know which slot of a credential a release would name. */
export const doubtful = (name: string, { revision, reason }: NonNullable<LiveSlots["inDoubt"]>): string =>
  `A rotation made the revision ${revision} of "${name}", and the control plane does not say which credential it ` +
  `moved: ${reason}. An update that makes a revision needs its answer.`;

/** The two arguments that azure-native's SDK hides from a preview as long as it does not know each part of them. */
const hiddenWhole = ["template", "configuration"] as const;

/** How many values a note names. */
const namedAtMost = 3;

/** Says which argument the preview does not show at all, and which unknown values are why. */
export const hidden = (name: string, planned: Planned): readonly string[] =>
  hiddenWhole.flatMap((argument) => {
    const holes = holesIn(planned[argument], argument);
    if (holes.length === 0) return [];
    const more = holes.length > namedAtMost ? `, and ${holes.length - namedAtMost} more` : "";
    return [
      `This preview shows nothing of the ${argument} of "${name}", since a value in it is not known yet: ` +
        `${holes.slice(0, namedAtMost).join(", ")}${more}. What is known of it is checked all the same.`,
    ];
  });

/** Lists where values are not known. */
function holesIn(value: unknown, at: string): readonly string[] {
  if (value === hole) return [at];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) =>
    holesIn(each, Array.isArray(value) ? `${at}[${name}]` : `${at}.${name}`),
  );
}
