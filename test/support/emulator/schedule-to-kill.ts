// A process with a schedule and its state on disk, which a test kills at any moment. Each appointment adds one to a
// counter that is part of the same state. It ends when nothing is due any more, and prints the counters.
import { makeScheduler } from "../../../emulator/controls/scheduler.ts";
import { makeLedger } from "../../../emulator/persistence/ledger.ts";
import { openDocuments } from "../../../emulator/persistence/state.ts";

const [folder, countText, spreadText] = process.argv.slice(2) as [string, string, string];
const documents = openDocuments(folder);
const ledger = makeLedger();
const fired = new Map<string, number>();
const keep = (): void => documents.write(ledger.take(true));
const scheduler = makeScheduler(Date.now, { changed: (key) => ledger.changed("due", key), keep });
scheduler.handle("ring", ({ key }) => {
  fired.set(key, (fired.get(key) ?? 0) + 1);
  ledger.changed("fired", key);
  // An effect outside of the state makes the scheduler write before it runs.
  return () => void process.stderr.write(".");
});
ledger.register({
  word: "due",
  ids: () => scheduler.due().map(({ key }) => key),
  read: scheduler.timeOf,
  revive: (found) => {
    for (const [key, at] of found as ReadonlyMap<string, number>) scheduler.at(at, key);
  },
});
ledger.register({
  word: "fired",
  ids: () => fired.keys(),
  read: (key) => fired.get(key),
  revive: (found) => {
    for (const [key, times] of found as ReadonlyMap<string, number>) fired.set(key, times);
  },
});
if (documents.found.size === 0)
  for (let index = 0; index < Number(countText); index += 1)
    scheduler.at(Date.now() + (index / Number(countText)) * Number(spreadText), `ring ${index}`);
else await ledger.revive(documents.found);
keep();
process.stdout.write("ready\n");
const timer = setInterval(() => {
  scheduler.pass();
  if (scheduler.due().length > 0) return;
  clearInterval(timer);
  scheduler.close();
  keep();
  documents.close();
  process.stdout.write(`${JSON.stringify(Object.fromEntries(fired))}\n`);
}, 1);
