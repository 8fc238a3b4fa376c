// The hooks around an update of an app: what locks it, what stops the update, and when the lock is released.
import * as pulumi from "@pulumi/pulumi";
import { unknown } from "@pulumi/pulumi/output.js";
import { describe, expect, test, vi } from "vitest";
import { CanaryApp } from "../../components/canary-app/canary-app.ts";
import { httpApp } from "../../components/canary-app/http-app.ts";
import type { TrafficEntry } from "../../components/canary-app/traffic.ts";
import { trafficGuard } from "../../components/canary-app/traffic-guard.ts";
import { Somewhere } from "../support/program/live-app.ts";
import { type Answers, nothingThere, record } from "../support/program/mocks.ts";

describe("the traffic guard of an update", () => {
  const here = { revisionName: "a", weight: 100 };
  const plane = "https://control-plane.example.net";
  const plan = { probePath: "/ready" };
  interface World {
    readonly old?: object;
    readonly lock?: object;
    readonly traffic?: readonly object[];
    /** Further new inputs. */
    readonly more?: { readonly template?: object; readonly secrets?: readonly object[]; readonly ingress?: object };
    readonly endpoint?: pulumi.Input<string>;
    /** What the live app has beside its traffic. */
    readonly shown?: object;
  }
  async function update(
    planned: readonly TrafficEntry[],
    { lock = { id: "h1", until: 0 }, traffic = [here], old, more = {}, shown = {}, endpoint = plane }: World,
  ) {
    const calls: (readonly [string, object])[] = [];
    const said: string[] = [];
    const { warn: write, log: tell } = console;
    // The SDK logs warnings and other lines there without a Pulumi CLI.
    console.warn = console.log = (line: string) => void said.push(line);
    const answers: Answers = (token, inputs) => {
      calls.push([token, inputs]);
      if (token === "ballast:index:lock") {
        if (lock instanceof Error) throw lock;
        return typeof lock === "function" ? lock() : lock;
      }
      return token === "ballast:index:unlock"
        ? {}
        : { latestReadyRevisionName: "a", configuration: { ingress: { ...shown, traffic } } };
    };
    const { made } = await record(async () => {
      const guarded = {
        name: "storefront",
        endpoint,
        audience: "api://ballast",
        resourceGroup: "shop",
        app: "storefront",
        asked: plan,
      };
      const { beforeUpdate, afterUpdate, onError } = trafficGuard(guarded, new Somewhere());
      const args = {
        urn: "",
        id: "",
        name: "",
        type: "",
        newInputs: {
          template: more.template,
          configuration: pulumi.secret({ secrets: more.secrets, ingress: { ...more.ingress, traffic: planned } }),
        },
        ...(old ? { oldInputs: old } : {}),
      };
      const error = await (beforeUpdate![0] as pulumi.ResourceHook).callback(args)?.then(
        () => undefined,
        (thrown: Error) => thrown.message,
      );
      const before = calls.map(([token]) => token.split(":").at(-1));
      await (afterUpdate![0] as pulumi.ResourceHook).callback(args);
      const retried = await onError![0]!.callback({ ...args, failedOperation: "update", errors: [] });
      return { error, before, retried };
    }, answers).finally(() => {
      Object.assign(console, { warn: write, log: tell });
    });
    return { ...made, asked: calls, said: said.join("\n") };
  }

  test("locks the app, compares, lets the update proceed and releases the lock once", async () => {
    const { error, before, asked, retried } = await update([here], {});
    expect(error).toBeUndefined();
    expect(before).toEqual(["lock", "getContainerApp"]);
    const of = {
      endpoint: "https://control-plane.example.net",
      audience: "api://ballast",
      resourceGroup: "shop",
      app: "storefront",
    };
    expect(asked[0]).toEqual(["ballast:index:lock", { ...of, seconds: 120 }]);
    expect(asked.slice(2)).toEqual([["ballast:index:unlock", { ...of, id: "h1" }]]);
    expect(retried).toBe(false);
  });
  test("is no app created that the control plane does not manage", async () => {
    const asked: unknown[] = [];
    const answers: Answers = (token, inputs) => {
      asked.push([token, inputs]);
      throw new Error("target-not-managed  The control plane does not manage it.");
    };
    const of = { endpoint: "https://control-plane.example.net", audience: "api://ballast" };
    const place = { resourceGroup: "shop", app: "other" };
    await record(async () => {
      const { beforeCreate } = trafficGuard({ name: "other", ...of, ...place, asked: plan }, new Somewhere());
      const args = { urn: "", id: "", name: "", type: "" };
      const created = (beforeCreate![0] as pulumi.ResourceHook).callback(args);
      await expect(created).rejects.toThrow("target-not-managed");
    }, answers);
    expect(asked).toEqual([["ballast:index:managed", { ...of, ...place }]]);
  });
  test.each(["call-token-refused", "call-role-missing", "target-not-managed"])(
    "refuses a caller whose release the control plane would refuse (%s), before the update makes a revision",
    async (id) => {
      const { error, before, asked } = await update([here], { lock: new Error(`The control plane refuses. (${id})`) });
      expect(error).toContain(`The control plane refuses. (${id})`);
      expect([before, asked.length]).toEqual([["lock"], 1]);
    },
  );
  test("refuses with canary-app-traffic-moved after a rollback in between, and releases the lock at once", async () => {
    const { error, before } = await update([{ revisionName: "b", weight: 100 }], {});
    expect(error).toContain("canary-app-traffic-moved");
    expect(error).toContain("was b 100 % when this update was planned and is a 100 % now");
    expect(before).toEqual(["lock", "getContainerApp", "unlock"]);
  });
  test("refuses with canary-app-locked while another client has the lock, and does not release that lock", async () => {
    const { error, asked } = await update([here], { lock: { heldBy: "ci" } });
    expect(error).toContain("canary-app-locked");
    expect(asked.map(([token]) => token)).toEqual(["ballast:index:lock"]);
  });
  test("refuses with canary-app-scope-changes, before any lock, a secret that changes with the template", async () => {
    const old = {
      template: { a: 1 },
      configuration: pulumi.secret({ secrets: [{ name: "api-key", value: "v-first" }], ingress: { traffic: [here] } }),
    };
    const { error, asked } = await update([here], {
      old,
      more: { template: { a: 2 }, secrets: [{ name: "api-key", value: "v-second" }] },
    });
    expect(error).toContain("canary-app-scope-changes");
    expect(error).toContain("the secret api-key gets another value");
    expect(error).not.toContain("v-");
    expect(asked.map(([token]) => token.split(":").at(-1))).toEqual(["getContainerApp"]);
    expect(
      (await update([here], { old, more: { template: { a: 1 }, secrets: [{ name: "api-key", value: "v-second" }] } }))
        .error,
    ).toBeUndefined();
    expect(
      (await update([here], { old, more: { template: { a: 2 }, secrets: [{ name: "api-key", value: "v-first" }] } }))
        .error,
    ).toBeUndefined();
  });
  test("lets a release go on whose state does not know what the live app has, such as a kept domain", async () => {
    const old = { template: { a: 1 }, configuration: { ingress: { traffic: [here] } } };
    const ingress = { customDomains: [{ name: "www.example.org" }] };
    const more = { template: { a: 2 }, ingress };
    expect((await update([here], { old, more, shown: ingress })).error).toBeUndefined();
    const { error, asked } = await update([here], { old, more });
    expect(error).toMatch(/canary-app-scope-changes .*ingress\.customDomains from nothing to/);
    expect(asked).toHaveLength(1);
  });
  test("warns with canary-app-secret-waits of a secret's new value alone, without revealing it", async () => {
    const old = {
      template: { a: 1 },
      configuration: { secrets: [{ name: "api-key", value: "v-first" }], ingress: { traffic: [here] } },
    };
    const { error, said } = await update([here], {
      old,
      more: { template: { a: 1 }, secrets: [{ name: "api-key", value: "v-second" }] },
    });
    expect(error).toBeUndefined();
    expect(said).toContain('canary-app-secret-waits  "storefront" gets new values for api-key');
    expect(said).not.toContain("v-");
  });
  test("compares without a control plane too, and continues with the warning canary-app-unguarded", async () => {
    const down = { lock: { unreachable: "The control plane does not answer." } };
    const { error, said } = await update([here], down);
    expect([error, said.includes("canary-app-unguarded")]).toEqual([undefined, true]);
    expect((await update([{ revisionName: "b", weight: 100 }], down)).error).toContain("canary-app-traffic-moved");
  });

  test("removes a lock whose answer came too late, for which the rollout would wait", async () => {
    const { asked } = await update([here], { lock: { unreachable: "It does not answer in 3 s.", id: "h9" } });
    expect(asked.at(-1)).toEqual(["ballast:index:unlock", expect.objectContaining({ id: "h9" })]);
  });

  test("says after ten seconds that the control plane has not answered yet", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const after = (milliseconds: number) => async () => {
      await vi.advanceTimersByTimeAsync(milliseconds);
      return { id: "h1", until: 0 };
    };
    const line = "storefront waits for the control plane at https://control-plane.example.net";
    try {
      expect((await update([here], { lock: after(10_000) })).said).toContain(line);
      expect((await update([here], { lock: after(9_999) })).said).not.toContain(line);
    } finally {
      vi.useRealTimers();
    }
  });

  test("refuses with canary-app-unreleasable a new revision that no control plane could release", async () => {
    const down = { lock: { unreachable: "The control plane does not answer." } };
    const old = (template: object) => ({ template, configuration: { ingress: { traffic: [here] } } });
    const { error, asked: calls } = await update([here], { ...down, old: old({ a: 1 }), more: { template: { a: 2 } } });
    expect(error).toContain('canary-app-unreleasable  "storefront" would get a new revision');
    expect(error).toContain("The control plane does not answer.");
    expect(calls[0]).toEqual(["ballast:index:lock", expect.objectContaining({ release: plan })]);
    const same = await update([here], { ...down, old: old({ a: 1 }), more: { template: { a: 1 } } });
    expect([same.error, same.asked[0]![1]]).toEqual([undefined, expect.not.objectContaining({ release: plan })]);
  });
  // The outputs of a resource that was never deployed stay unknown in an update with `--target` or `--exclude`.
  test("waits for no control plane that the update leaves out, and refuses only a new revision", async () => {
    const leftOut = { endpoint: pulumi.output(unknown) as pulumi.Output<string>, old: { template: { a: 1 } } };
    const { error } = await update([here], { ...leftOut, more: { template: { a: 2 } } });
    expect(error).toContain('canary-app-unreleasable  "storefront" would get a new revision');
    expect(error).toContain("this update leaves it out");
    const same = await update([here], { ...leftOut, more: { template: { a: 1 } } });
    expect([same.error, same.asked.map(([token]) => token)]).toEqual([undefined, ["azure-native:app:getContainerApp"]]);
    expect(same.said).toContain("canary-app-unguarded");
  });
});

test("every component of a program has hooks of its own, and the next run has the same ones", async () => {
  const guarded = { endpoint: "https://a.example", audience: "api://a", resourceGroup: "a", app: "shop", asked: {} };
  const hooksOf = async (names: readonly string[]): Promise<readonly string[]> =>
    (
      await record(() =>
        names.flatMap((name) => {
          const { beforeUpdate, afterUpdate, onError } = trafficGuard({ name, ...guarded }, new Somewhere());
          return [beforeUpdate, afterUpdate, onError].flatMap((of) =>
            (of as { name: string }[]).map((one) => one.name),
          );
        }),
      )
    ).made;
  const components = ["shop", "shop", "shop-2", "shop-1", "shop-1-1", "shop-2", "shop", "1", ""];
  const hooks = await hooksOf(components);
  expect(new Set(hooks).size).toBe(3 * components.length);
  expect(await hooksOf(components)).toEqual(hooks);
  expect((await hooksOf(components.toReversed())).toSorted()).toEqual(hooks.toSorted());
});

test.each([
  ["an update", false, ["ballast:index:ready", "azure-native:app:getContainerApp"]],
  ["a preview, whose hooks ask nothing of it", true, ["azure-native:app:getContainerApp"]],
])("an app waits for Ballast's provider before it takes a place for a hook: %s", async (_what, isPreview, all) => {
  const place = { containerAppName: "shop", resourceGroupName: "shop", location: "westeurope", environmentId: "here" };
  const controlPlane = { endpoint: "https://control-plane.example.net", audience: "api://ballast" };
  const shop = () =>
    new CanaryApp("shop", { ...httpApp({ ...place, image: "example.azurecr.io/shop:1" }), controlPlane });
  const asked: string[] = [];
  const answers: Answers = (token, inputs) => {
    asked.push(token);
    return nothingThere(token, inputs);
  };
  await record(shop, answers, isPreview);
  expect(asked.toSorted()).toEqual(all.toSorted());
  const without: Answers = (token, inputs) => {
    if (token === "ballast:index:ready") throw new Error("the provider is not there");
    return nothingThere(token, inputs);
  };
  const outcome = record(shop, without, isPreview).then(({ declared }) => declared.length);
  if (isPreview) await expect(outcome).resolves.toBe(3);
  else await expect(outcome).rejects.toThrow("the provider is not there");
});
