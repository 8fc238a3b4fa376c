// `npm run simulate:year -- --credentials 200 --from 1`: a compressed year of many credentials, one seed each. It
// prints a summary, and exits 1 with the seeds that broke a law.
import { readCommandLine } from "../command-line.ts";
import { type Year, yearOf } from "./year.ts";

const values = readCommandLine(
  `npm run simulate:year -- [options]

A year of many credentials in virtual time, one seed each. Exit code 1: a law is broken.

  --credentials NUMBER   how many (default: 200)
  --from NUMBER          the first seed (default: 1)`,
  { credentials: { type: "string", default: "200" }, from: { type: "string", default: "1" } },
);

const began = performance.now();
const years: Year[] = [];
for (let seed = Number(values.from); years.length < Number(values.credentials); seed++) years.push(await yearOf(seed));
const sum = (of: (year: Year) => number): number => years.reduce((total, year) => total + of(year), 0);
const broken = years.flatMap((year) => year.broken);
const [rotations, faults, deaths] = [
  sum((year) => year.rotations),
  sum((year) => year.faults),
  sum((year) => year.deaths),
];
console.log(`credentials ${years.length}, from seed ${values.from}
rotations   ${rotations}, with ${faults} faults and ${deaths} deaths
oldest      ${(100 * Math.max(...years.map((year) => year.oldest))).toFixed(1)} % of the age that its policy allows
time        a year in ${((performance.now() - began) / 1000).toFixed(0)} s`);
for (const law of broken) console.log(`✗ ${law}`);
process.exitCode = broken.length === 0 ? 0 : 1;
