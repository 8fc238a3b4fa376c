// What a system demands of a password, for systems that refuse others: its length, its characters, and the classes of
// which it must have one each. A policy that no password meets, or only a weak one, is refused when it is declared.
import { defaultsOf, list, number, type ObjectOf, object, oneOf, text } from "../form.ts";

const classes = { lower: /[a-z]/, upper: /[A-Z]/, digit: /[0-9]/, symbol: /[^a-zA-Z0-9]/ } as const;
type Class = keyof typeof classes;

const letters = "abcdefghijklmnopqrstuvwxyz";

/** The characters of a password, if no policy says otherwise: they need no quoting in a URL. */
const usualAlphabet = `${letters}${letters.toUpperCase()}0123456789-_`;

const policyFields = {
  length: number({ least: 8, most: 128, whole: true, otherwise: 32, description: "How many characters it has." }),
  alphabet: text("visible characters of ASCII", {
    most: 94,
    pattern: "^[!-~]+$",
    otherwise: usualAlphabet,
    description: "The characters that it may have.",
  }),
  needs: list(oneOf(Object.keys(classes) as readonly Class[]), {
    most: 4,
    otherwise: [],
    description: "The classes of which it must have a character each.",
  }),
};

/** The form of a policy. */
export const passwordPolicyForm = object(policyFields, {
  title: "PasswordPolicy",
  description: "What the system demands of a password that Ballast makes.",
});

/** What a system demands of a password. */
export interface PasswordPolicy extends ObjectOf<typeof policyFields> {}

/** What holds if nothing is declared. It has 192 random bits. */
export const usualPolicy: PasswordPolicy = defaultsOf(passwordPolicyForm);

/** A password of fewer random bits could be guessed by whoever has the server's verifier. */
const bitsMin = 96;

/** Says what is wrong with a policy. */
export function objectionsToPolicy({ length, alphabet, needs }: PasswordPolicy): readonly string[] {
  const characters = new Set(alphabet);
  const lacking = needs.filter((each) => !classes[each].test(alphabet));
  const bits = Math.floor(length * Math.log2(characters.size));
  return [
    ...lacking.map((each) => `passwordPolicy needs a ${each}, and its alphabet has none.`),
    ...(bits >= bitsMin
      ? []
      : [
          `passwordPolicy is too weak: ${length} characters of ${characters.size} have ${bits} random bits, and a ` +
            `password has at least ${bitsMin}.`,
        ]),
  ];
}

/**
 * Makes a password that meets a policy without objections, or the usual one if none is declared.
 *
 * It is drawn whole until it has every class, so that each password that meets the policy is as likely as another one.
 *
 * @param below gives a random whole number from 0 up to, but excluding, its argument
 */
export function makePassword(policy: PasswordPolicy | undefined, below: (limit: number) => number): string {
  const { length, alphabet, needs } = policy ?? usualPolicy;
  const characters = [...new Set(alphabet)];
  for (;;) {
    const password = Array.from({ length }, () => characters[below(characters.length)]!).join("");
    if (needs.every((each) => classes[each].test(password))) return password;
  }
}
