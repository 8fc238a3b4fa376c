// A line about a resource reaches the Pulumi CLI also if the resource is never registered.
import * as pulumi from "@pulumi/pulumi";
import { expect, test, vi } from "vitest";
import { logOn, say } from "../../components/conventions.ts";
import { canaryAppConsumes } from "../../errors/canary-app.ts";

const withUrn = (promise: () => Promise<string>) => ({ urn: { promise } }) as unknown as pulumi.Resource;
const registered = withUrn(() => Promise.resolve("urn"));
// The SDK fails each later log of a program with such a resource.
const refused = withUrn(() => Promise.reject(new Error("what it waits for was refused")));

test.each([
  ["on a resource that is registered", registered, registered],
  ["alone if the resource waits for one that was refused", refused, undefined],
])("a line is logged %s", async (_what, resource, on) => {
  const lines: unknown[] = [];
  for (const level of ["info", "warn"] as const)
    vi.spyOn(pulumi.log, level).mockImplementation(async (line, where) => void lines.push([level, line, where]));
  await logOn(resource, "info", "a note");
  await say(canaryAppConsumes({ app: "shop", sources: ["a queue"] }), resource);
  expect(lines).toEqual([
    ["info", "a note", on],
    ["warn", expect.stringContaining("canary-app-consumes"), on],
  ]);
});
