// What can keep the demo from starting, and from reaching a result.
import { entry } from "./catalogue.ts";

/** Another demo uses the same folder. */
export const demoRunning = entry<{ folder: string; pid: number }>("demo-already-running", {
  title: "The demo is already running",
  message: ({ folder, pid }) => `Process ${pid} runs the demo in ${folder}. Two demos cannot share one folder.`,
  fix: () => "end the other demo with Ctrl-C, or give this one its own folder: npm start -- --folder <path>",
  left: () => "Nothing was changed. The other demo continues.",
});

/** The seed is not a number. */
export const demoSeedUnclear = entry<{ seed: string }>("demo-seed-unclear", {
  exitCode: 2,
  title: "The demo's seed is not a number",
  message: ({ seed }) => `The seed "${seed}" is not a whole number from 0 to 4294967295.`,
  fix: () => "give a number: npm start -- --seed 7",
});

/** An option that the demo does not have, or one without its value. */
export const demoOptionUnclear = entry<{ reason: string }>("demo-option-unclear", {
  exitCode: 2,
  title: "The demo's options are not valid",
  message: ({ reason }) => `The demo did not start: ${reason}.`,
  fix: () => "use only the options --only <story>, --seed <number>, --exit, --folder <path> and --out <file>",
});

/** The folder for the demo holds something else, which the demo would delete. */
export const demoFolderForeign = entry<{ folder: string }>("demo-folder-foreign", {
  title: "The demo's folder holds something else",
  message: ({ folder }) => `The demo empties its folder, and ${folder} holds files that are not the demo's.`,
  fix: () => "name a folder that does not exist or is empty: npm start -- --folder <path>",
  left: () => "Nothing was changed.",
});

/** The machine was too busy with other work for the demo to tell whether something happened as promised. */
export const demoMachineTooBusy = entry<{ undecided: readonly string[]; percent: number }>("demo-machine-too-busy", {
  title: "The machine was too busy for the demo",
  message: ({ undecided, percent }) =>
    `The demo cannot tell whether everything happened as promised: ${undecided.join("; ")}. ` +
    `One process (the load generator, the emulator or a replica) missed ${percent} % of the CPU that it wanted.`,
  fix: () => "end other work on this machine, and run npm start again",
  left: () => "Nothing was left running.",
});
