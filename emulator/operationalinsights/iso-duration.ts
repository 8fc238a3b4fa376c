// ISO 8601 durations, as Azure Monitor writes them: `PT5M`, `P1D`.

/** Gives the milliseconds of a duration; undefined when the text is none. Years, months and weeks are not served. */
export function isoMilliseconds(text: string): number | undefined {
  const [whole, days, hours, minutes, seconds] =
    /^P(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?$/.exec(text) ?? [];
  if (whole === undefined || whole === "P" || whole.endsWith("T")) return undefined;
  return (
    (((Number(days ?? 0) * 24 + Number(hours ?? 0)) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds ?? 0)) * 1000
  );
}
