// When two verdicts are the same, whatever their numbers.

/** Identifies a verdict without its numbers: the dry run reports a verdict only if this changes. */
export const keyOfVerdict = ({
  verdict,
  reason = "",
}: {
  readonly verdict: string;
  readonly reason?: string;
}): string => `${verdict} ${reason}`;
