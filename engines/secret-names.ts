// The names by which a value is a secret, whoever chose the name: headers and the parameters of addresses. It errs on
// the side of a refusal, since what is declared stands in states and journals.

const secretNames = [
  /^(proxy-)?authorization$/i,
  /cookie$/i,
  /^(code|key|sig)$/i,
  /(^|[-_])(api|access|functions?|subscription|private|client|master|admin|auth|shared|account|signing)[-_]?key$/i,
  /(token|secret|password|passwd|passphrase|signature|credentials?)$/i,
  /(^|[-_])(auth|bearer|jwt|pwd|sas)$/i,
];

/** Reports whether whatever has this name is a secret by its meaning, such as `x-api-key` or `sig`. */
export const isSecretName = (name: string): boolean => secretNames.some((pattern) => pattern.test(name));

/** Names the parameters of an address, or of a path with a query, that are secrets by their names. */
export const secretParametersOf = (address: string): readonly string[] =>
  [...address.matchAll(/[?&]([^=&#?]+)/g)].map(([, name = ""]) => decoded(name)).filter(isSecretName);

/** A name may be written with escapes. One that cannot be decoded is kept as it stands. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
