// Time as plain data. Engines learn the time from the observations they get; nothing here reads a clock.

/** A moment, in milliseconds since 1970-01-01 UTC. */
export type Instant = number;

export const dayMilliseconds = 86_400_000;

/** Gives the moment a number of seconds after another. */
export const after = (at: Instant, seconds: number): Instant => at + Math.round(seconds * 1000);

/** Gives the seconds from one moment to another; negative if the second is earlier. */
export const secondsBetween = (from: Instant, to: Instant): number => (to - from) / 1000;

/** Formats a number of seconds for people: `40s`, `5m`, `2h 30m`. */
export function duration(seconds: number): string {
  const tenths = Math.round(seconds * 10) / 10;
  if (tenths < 60) return `${tenths}s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const rest = whole % 60;
  if (minutes < 60) return rest ? `${minutes}m ${rest}s` : `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 ? `${hours}h ${minutes % 60}m` : `${hours}h`;
}
