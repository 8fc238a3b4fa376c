// What a story of the demo is. main.ts deploys what the chosen stories need, shows them one after another, and writes
// their record.
import type { WantedSecond } from "../emulator/starvation.ts";
import type { Emulator } from "./emulator.ts";
import type { Ground } from "./ground.ts";
import type { Options } from "./options.ts";
import type { Stack } from "./stack.ts";
import type { Process } from "./starvation.ts";
import type { Timeline } from "./timeline.ts";

/** Where a story is shown. */
export interface Setting {
  readonly ground: Ground;
  readonly emulator: Emulator;
  /** Gives the deployed stack, with the storefront at release 1. The first story that asks for it waits for it. */
  readonly deployed: () => Promise<Deployed>;
  readonly timeline: Timeline;
  readonly options: Options;
  /** Keeps what a story started until the demo is taken down, so that a second terminal can look at it. */
  readonly atEnd: (close: () => Promise<void>) => void;
  /** Says that a story is near its end: a later one that takes long to begin may begin. A second call does nothing. */
  readonly lastMinute: () => void;
  /** Aborts when the demo should take everything down. */
  readonly stop: AbortSignal;
  /** What the load generators of this process wanted and missed; whoever runs one adds its seconds. */
  readonly generator: WantedSecond[];
  /** Gives the seconds of the load generators and of the emulator. */
  readonly processes: () => Promise<readonly Process[]>;
  /** Reports whether the machine was too busy for the demo from one time to another. */
  readonly wasStarved: (from: number, to: number) => Promise<boolean>;
}

/** The stack after its first `pulumi up`. */
export interface Deployed {
  readonly stack: Stack;
  readonly outputs: Readonly<Record<string, string>>;
}

/** A story of the demo. */
export interface Story {
  /** Prints what is going to happen, before anything starts. */
  readonly announce: (setting: Pick<Setting, "timeline" | "options">) => void;
  /**
   * Shows it, and gives its part of out/demo.json.
   *
   * It checks what docs/start/demo.md promises of it.
   */
  readonly show: (setting: Setting) => Promise<object>;
  /**
   * Begins it while an earlier story is still shown, and gives how to show it. Nothing is printed before that.
   *
   * Without it, a story begins when it is shown.
   */
  readonly ahead?: (setting: Setting) => () => Promise<object>;
  /** Prints what a second terminal may look at once all stories were shown. */
  readonly invite: (setting: Setting) => Promise<void>;
}

/** Ends a story that cannot go on because of a result that the machine may have spoilt. The timeline has said so. */
export class StoryUndecided extends Error {}
