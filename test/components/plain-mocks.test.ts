// Every component under the mocks that a program's unit tests may have: they answer with the inputs as in Pulumi's own
// example, with nothing, later, or during a preview. Whatever they answer, a component is declared and its outputs end.
import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, test, vi } from "vitest";
import { componentNames, isFunction, makeComponent, validArguments } from "../support/program/component-arguments.ts";

const echo: pulumi.runtime.Mocks = {
  newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs }),
  call: ({ inputs }) => inputs,
};
const later = <Value>(value: Value): Promise<Value> => new Promise((resolve) => setImmediate(() => resolve(value)));
const mocks: Readonly<Record<string, readonly [pulumi.runtime.Mocks, isPreview?: boolean]>> = {
  "the inputs": [echo],
  "the inputs, in a preview": [echo, true],
  "the inputs, later": [{ ...echo, newResource: (args) => later({ id: `${args.name}-id`, state: args.inputs }) }],
  "the inputs without an id": [{ ...echo, newResource: ({ inputs }) => ({ id: undefined, state: inputs }) }],
  "nothing to a read": [{ ...echo, call: () => ({}) }],
  nothing: [{ newResource: ({ name }) => ({ id: `${name}-id`, state: {} }), call: () => ({}) }],
};

const promised = (output: pulumi.Output<unknown>): Promise<unknown> =>
  (output as unknown as { promise: (withUnknowns: boolean) => Promise<unknown> }).promise(true);

afterEach(() => vi.restoreAllMocks());

describe.each(componentNames.filter((name) => !isFunction(name)))("%s", (component) => {
  test.each(Object.keys(mocks))("is declared, and each output of it ends, if mocks answer %s", async (answer) => {
    for (const method of ["log", "warn"] as const) vi.spyOn(console, method).mockImplementation(() => undefined);
    const [mocked, isPreview] = mocks[answer]!;
    await pulumi.runtime.setMocks(mocked, "project", "stack", isPreview);
    const made = makeComponent(component, "shop", validArguments[component]) as object;
    const outputs = Object.values(made).filter((value) => pulumi.Output.isInstance(value));
    await expect(Promise.all([...outputs].map(promised))).resolves.toHaveLength(outputs.length);
    await pulumi.runtime.disconnect(); // else the next mocks get the last registrations of these
  });
});
