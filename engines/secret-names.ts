// The names by which a value is a secret, whoever chose the name: headers and the parameters of addresses. It errs on
// the side of a refusal, since what is declared stands in states and journals.

const secretNames = [
  /^(proxy-)?authorization$/i,
  /cookie$/i,
  /^(code|key|sig)$/i,
  /(^|[-_])(api|access|functions?|subscription)[-_]?key$/i,
  /(token|secret|password|signature)$/i,
];

/** Reports whether whatever has this name is a secret by its meaning, such as `x-api-key` or `sig`. */
export const isSecretName = (name: string): boolean => secretNames.some((pattern) => pattern.test(name));
