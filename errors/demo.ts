// What can keep the demo from starting.
import { entry } from "./catalogue.ts";

/** Another demo stands on the same folder. */
export const demoRunning = entry<{ folder: string; pid: number }>("demo-already-running", {
  title: "The demo is running already",
  message: ({ folder, pid }) =>
    `Process ${pid} runs the demo in ${folder}, and two would take each other's ground away.`,
  fix: () => "end the other one with Ctrl-C, or give this one a folder of its own: npm start -- --folder <path>",
  left: () => "nothing was changed: the other demo goes on.",
});

/** A seed is not a number. */
export const demoSeedUnclear = entry<{ seed: string }>("demo-seed-unclear", {
  title: "The seed of the demo is not a number",
  message: ({ seed }) => `The seed "${seed}" is not a whole number from 0 to 4294967295.`,
  fix: () => "give a number: npm start -- --seed 7",
});
