// The paths that a program ignores. An update sends them as the state has them, so there would be nothing to release if
// the template were one of them. A program says them as an option, and a transform of its stack may add more.
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../../engines/problem.ts";
import { canaryAppIgnoredTemplate, canaryAppOwnedField } from "../../errors/canary-app.ts";
import { refusal } from "../conventions.ts";
import { type KeptSetting, placeOf } from "./losses.ts";

/** What the control plane owns. An update must send it as the component says, not as the state has it. */
const owned = [
  ["configuration", "activeRevisionsMode"],
  ["configuration", "ingress", "traffic"],
] as const;

/** Gives the paths as a list. Plain JavaScript may give a single one as it is. */
export const pathsOf = (given: string[] | string | undefined): string[] =>
  typeof given === "string" ? [given] : (given ?? []);

/** Splits a property path: `template.containers[0]`, `["template"]`, `*`. */
const stepsOf = (path: string): readonly string[] =>
  path
    .replaceAll(/\[["']?([^\]"']*)["']?\]/g, ".$1")
    .split(".")
    .filter((step) => step !== "");

/** Reports whether one path is within the other, or the other way round. */
const meet = (one: readonly string[], other: readonly string[]): boolean =>
  one.slice(0, other.length).every((step, place) => step === "*" || other[place] === "*" || step === other[place]);

/** Reports whether an update sends what is at a place as the state has it, or a part of that. */
export const isIgnored = (ignoreChanges: readonly string[], place: readonly (string | number)[]): boolean =>
  ignoreChanges.some((path) => meet(stepsOf(path), place.map(String)));

/**
 * Lists the settings that are kept and ignored at once. One that is ignored is sent as the state has it, so what
 * somebody added since would be lost.
 */
export const keptAndIgnored = (
  keepLive: readonly KeptSetting[],
  ignoreChanges: readonly string[],
): readonly Problem[] =>
  keepLive.flatMap((setting, place) => {
    const paths = ignoreChanges.filter((path) => meet(stepsOf(path), placeOf(setting)));
    return paths.map((path) => {
      const ignored = `ignoreChanges has "${path}", which sends it as the state has it: delete one of the two.`;
      const message = `it keeps ${setting} as the live app has it, and ${ignored}`;
      return { kind: "contradiction", at: ["keepLive", place], message } as const;
    });
  });

/**
 * Refuses to ignore what a release needs.
 *
 * @throws canary-app-ignored-template, canary-app-owned-field
 */
export function refuseIgnored(name: string, paths: readonly string[]): void {
  const ofTemplate = paths.filter((path) => meet(stepsOf(path), ["template"]));
  if (ofTemplate.length > 0) throw refusal(canaryAppIgnoredTemplate({ name, paths: ofTemplate }));
  const ofOwned = paths.filter((path) => owned.some((each) => meet(stepsOf(path), each)));
  if (ofOwned.length > 0)
    throw refusal(canaryAppOwnedField({ name, lines: ofOwned.map((path) => `"${path}" in ignoreChanges`) }));
}

/** The runs of programs that are watched. */
const watched = new WeakSet<object>();

/**
 * Watches what the transforms of a stack add. It is a transform itself. They run in the order in which the Pulumi CLI
 * gets them, so it waits for those that the program has registered; an app waits for its component, so also for this.
 */
export async function watchTransforms(): Promise<void> {
  const run = (pulumi.runtime.getMonitor() ?? {}) as object;
  if (!("registerStackTransform" in run) || watched.has(run)) return; // mocks have no transforms of a stack
  watched.add(run);
  await pulumi.runtime.awaitStackRegistrations();
  pulumi.runtime.registerResourceTransform(refuseOfTransforms);
}

const ofCanaryApp = /ballast:index:CanaryApp::(.*)$/;

/** Refuses what a transform ignores of an app that is released. It changes nothing. */
export async function refuseOfTransforms({ type, opts }: pulumi.ResourceTransformArgs): Promise<undefined> {
  const { parent, ignoreChanges } = opts;
  if (type !== "azure-native:app:ContainerApp" || parent === undefined) return undefined;
  const urn = await new Promise<string>((resolve) => void parent.urn.apply(resolve));
  const [, name] = ofCanaryApp.exec(urn) ?? [];
  if (name !== undefined) refuseIgnored(name, pathsOf(ignoreChanges));
  return undefined;
}
