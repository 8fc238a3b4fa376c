// Stands for any argument of an error's texts, so that the reference can show them when there is no case at hand.

/**
 * Gives a value that reads as `<name>` wherever a text is made with it.
 *
 * It is a text, a list of itself, and an object whose fields are placeholders; its methods return it. Arithmetic gives
 * NaN, since no number would be right. It is truthy and equals nothing, which decides the branches that a text takes.
 *
 * @param fields The fields that have a value of their own.
 */
export function placeholder(name: string, fields: object = {}): never {
  const shown = `<${name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}>`;
  const standsFor: object = new Proxy(() => undefined, {
    get: (_target, key) => {
      if (key === Symbol.toPrimitive) return (hint: string) => (hint === "number" ? Number.NaN : shown);
      if (key === Symbol.iterator) return () => [standsFor].values();
      if (key === "map" || key === "flatMap") return (each: (item: object) => unknown) => [each(standsFor)];
      if (key === "toString" || key === "toJSON" || key === "join") return () => shown;
      if (Object.hasOwn(fields, key)) return fields[key as keyof typeof fields];
      return typeof key === "symbol" ? undefined : placeholder(key);
    },
    apply: (_target, owner) => owner ?? standsFor,
  });
  return standsFor as never;
}
