// The last guard before a message leaves the pack. Rules cannot read a sealed secret, but a secret may also stand in
// plain text somewhere, and a message may quote that. Every secret that the Pulumi CLI marked is therefore cut out of
// every message.
import type { Declared } from "../../analysis/systems/pulumi/nodes.ts";
import { Inputs, Sealed } from "../../analysis/systems/pulumi/value.ts";

/** Shorter texts occur by chance, and cutting them out would make messages unreadable. */
const lengthMin = 6;

/** Keeps secrets only as tests, so that nothing here can print one either. */
export class Redactor {
  readonly #secrets = new Set<string>();

  /** Learns the secrets of a resource. */
  learn({ inputs }: Pick<Declared, "inputs">): void {
    for (const { value } of new Inputs(inputs).leaves())
      if (value instanceof Sealed && value.isSure)
        value.passes((text) => {
          this.learnText(text);
          return true;
        });
  }

  learnText(text: string): void {
    if (text.length >= lengthMin) this.#secrets.add(text);
  }

  /** Gives a message without any secret. */
  clean(message: string): string {
    let clean = message;
    for (const secret of this.#secrets) if (clean.includes(secret)) clean = clean.replaceAll(secret, "[secret]");
    return clean;
  }
}
