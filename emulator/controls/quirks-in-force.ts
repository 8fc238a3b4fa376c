// How the truths of a cloud stand: all hold from the start, and each can be switched off or given another form. What they say is in truths.ts,
// and who asks whether one holds is whoever behaves in its way.
import { ArmError, type Body, type Cloud } from "../arm/resource.ts";
import { type Setting, type Truth, type TruthChoice, type TruthName, type Truths, truths } from "./quirks.ts";

const names = Object.keys(truths) as readonly TruthName[];
const switches = new WeakMap<Cloud, Record<TruthName, Setting>>();

/** Gives how the truths of a cloud stand; the first call reads what it was started with. */
export function truthsOf(cloud: Cloud): Truths {
  const known = switches.get(cloud);
  if (known) return known;
  const made = {
    ...(Object.fromEntries(names.map((name) => [name, true])) as Record<TruthName, Setting>),
    ...checked(cloud.options.truths ?? {}),
  };
  switches.set(cloud, made);
  return made;
}

/** Sets the truths that are named, from this moment on. @throws ArmError 400 for a truth or a setting that there is not; then nothing is set. */
export const setTruths = (cloud: Cloud, choice: Body): void => void Object.assign(truthsOf(cloud), checked(choice));

/** Reads the comma list of `BALLAST_STANDIN_WITHOUT`: the truths to do without. @throws ArmError for a name that is none. */
export const truthsWithout = (list: string | undefined): TruthChoice =>
  checked(
    Object.fromEntries(
      (list ?? "")
        .split(",")
        .map((name) => name.trim())
        .filter(Boolean)
        .map((name) => [name, false]),
    ),
  );

function checked(choice: Body): TruthChoice {
  for (const [name, setting] of Object.entries(choice)) {
    if (!Object.hasOwn(truths, name))
      throw new ArmError(
        400,
        "InvalidRequestContent",
        `The stand-in has no truth '${name}'. There are: ${names.join(", ")}.`,
      );
    const { forms = {} }: Truth = truths[name as TruthName];
    if (typeof setting !== "boolean" && !Object.hasOwn(forms, String(setting)))
      throw new ArmError(
        400,
        "InvalidRequestContent",
        `The truth '${name}' is set to ${[true, false, ...Object.keys(forms)].join(", ")}, not to ${JSON.stringify(setting)}.`,
      );
  }
  return choice as TruthChoice;
}

/** Gives every truth with how it stands, for `GET /_standin/truths`. */
export const presentTruths = (cloud: Cloud): readonly Body[] =>
  names.map((name) => ({ name, setting: truthsOf(cloud)[name], ...truths[name] }));
