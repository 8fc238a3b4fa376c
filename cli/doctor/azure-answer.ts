// An answer of an Azure API, errors included. The checks of `ballast doctor` judge it themselves: a 404 is often no
// error but a resource that the next `pulumi up` creates.

/** The status and the JSON body that Azure answered with. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: each API has its own body, of which a check reads a few fields.
  readonly body: any;
}

/** Gives Azure's own message of an answer that is not the one asked for. */
export const messageOf = ({ status, body }: Answer): string =>
  String(body?.error?.message ?? body?.message ?? body?.title ?? `Azure answered with status ${status}.`);
