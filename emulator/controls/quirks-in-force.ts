// Which quirks are in force in a cloud. Those that do not say otherwise are at the start; each can be switched off, on,
// or to another form. The code that imitates a quirk asks here whether it is in force. The quirks are in quirks.ts.
import { ArmError, type Body, type Cloud } from "../arm/resource.ts";
import { type Quirk, type QuirkChoice, type QuirkName, type Quirks, quirks, type Setting } from "./quirks.ts";

const names = Object.keys(quirks) as readonly QuirkName[];
const settings = new WeakMap<Cloud, Record<QuirkName, Setting>>();

/** Gives the settings of a cloud's quirks; the first call reads its options. */
export function quirksOf(cloud: Cloud): Quirks {
  const known = settings.get(cloud);
  if (known) return known;
  const made = {
    ...(Object.fromEntries(names.map((name) => [name, (quirks[name] as Quirk).offAtStart === undefined])) as Record<
      QuirkName,
      Setting
    >),
    ...checked(cloud.options.quirks ?? {}),
  };
  settings.set(cloud, made);
  return made;
}

/** Sets the named quirks from now on. @throws ArmError 400 for an unknown quirk or setting; then nothing is set */
export const setQuirks = (cloud: Cloud, choice: Body): void => void Object.assign(quirksOf(cloud), checked(choice));

/**
 * Reads the comma-separated lists of `BALLAST_EMULATOR_WITH`, which switches quirks on, and `BALLAST_EMULATOR_WITHOUT`,
 * which switches them off and wins.
 *
 * @throws ArmError for an unknown name
 */
export const quirksOfEnvironment = ({
  BALLAST_EMULATOR_WITH: on,
  BALLAST_EMULATOR_WITHOUT: off,
}: NodeJS.Dict<string>): QuirkChoice => checked({ ...allIn(on, true), ...allIn(off, false) });

const allIn = (list: string | undefined, setting: boolean): Body =>
  Object.fromEntries(
    (list ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean)
      .map((name) => [name, setting]),
  );

function checked(choice: Body): QuirkChoice {
  for (const [name, setting] of Object.entries(choice)) {
    if (!Object.hasOwn(quirks, name))
      throw new ArmError(
        400,
        "InvalidRequestContent",
        `The emulator has no quirk '${name}'. Its quirks are: ${names.join(", ")}.`,
      );
    const { forms = {} }: Quirk = quirks[name as QuirkName];
    if (typeof setting !== "boolean" && !Object.hasOwn(forms, String(setting)))
      throw new ArmError(
        400,
        "InvalidRequestContent",
        `The quirk '${name}' takes ${[true, false, ...Object.keys(forms)].join(", ")}, not ${JSON.stringify(setting)}.`,
      );
  }
  return choice as QuirkChoice;
}

/** Gives every quirk with its setting, for `GET /_emulator/quirks`. */
export const presentQuirks = (cloud: Cloud): readonly Body[] =>
  names.map((name) => ({ name, setting: quirksOf(cloud)[name], ...quirks[name] }));
