// `npm run simulate:year -- --credentials 200 --from 1`: a compressed year of an estate of many credentials, which
// share a budget of rotations at once. With `--apart` each credential has a year of its own, with more that goes wrong.
// It prints a summary with its seed, and exits 1 with the laws that were broken.
import { readCommandLine } from "../command-line.ts";
import { estateYear } from "./estate-year.ts";
import { type Year, yearOf } from "./year.ts";

const values = readCommandLine(
  `npm run simulate:year -- [options]

A year of many credentials in virtual time. Exit code 1: a law is broken.

  --credentials NUMBER   how many (default: 200)
  --at-once NUMBER       how many rotations may be under way at once (default: 3)
  --days NUMBER          for how long (default: 365)
  --apart                each credential alone, with a seed of its own and no budget
  --from NUMBER          the seed, or the first one (default: 1)`,
  {
    credentials: { type: "string", default: "200" },
    "at-once": { type: "string", default: "3" },
    days: { type: "string", default: "365" },
    apart: { type: "boolean", default: false },
    from: { type: "string", default: "1" },
  },
);

const began = performance.now();
const credentials = Number(values.credentials);
const from = Number(values.from);
const percent = (share: number): string => `${(100 * share).toFixed(1)} % of the age that its policy allows`;
const broken = values.apart ? await liveApart() : await liveTogether();
console.log(`memory      ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB at most`);
console.log(`time        in ${((performance.now() - began) / 1000).toFixed(0)} s`);
for (const law of broken) console.log(`✗ ${law}`);
process.exitCode = broken.length === 0 ? 0 : 1;

async function liveTogether(): Promise<readonly string[]> {
  const atOnce = Number(values["at-once"]);
  const days = Number(values.days);
  const year = await estateYear({ seed: from, credentials, atOnce, days });
  console.log(`credentials ${credentials} over ${days} days, seed ${from}
rotations   ${year.rotations}, with ${year.faults} faults, ${year.deaths} deaths and ${year.stops} stops
at once     ${year.most} of ${atOnce} at most, while up to ${year.waiting} waited
oldest      ${percent(year.oldest)}`);
  return year.broken;
}

async function liveApart(): Promise<readonly string[]> {
  const years: Year[] = [];
  for (let seed = from; years.length < credentials; seed++) years.push(await yearOf(seed));
  const sum = (of: (year: Year) => number): number => years.reduce((total, year) => total + of(year), 0);
  console.log(`credentials ${years.length}, each alone, from seed ${from}
rotations   ${sum((year) => year.rotations)}, with ${sum((year) => year.faults)} faults and \
${sum((year) => year.deaths)} deaths
oldest      ${percent(Math.max(...years.map((year) => year.oldest)))}`);
  return years.flatMap((year) => year.broken);
}
