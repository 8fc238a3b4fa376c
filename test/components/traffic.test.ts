// Whom an update sends traffic to, what of a failed read means that an app is absent, and what stops an update.
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import {
  describeTraffic,
  type LiveApp,
  readTraffic,
  type TrafficEntry,
  trafficToSend,
} from "../../components/canary-app/traffic.ts";
import { trafficGuard } from "../../components/canary-app/traffic-guard.ts";
import { type Answers, record } from "../support/program/mocks.ts";

class Somewhere extends pulumi.ComponentResource {
  constructor() {
    super("test:index:Somewhere", "somewhere");
  }
}
const live = (traffic: readonly object[] | undefined, latestReadyRevisionName = ""): LiveApp => ({
  latestReadyRevisionName,
  configuration: { ingress: traffic ? { traffic: traffic as never } : {} },
});

describe("the traffic that is sent back", () => {
  const rows: readonly (readonly [title: string, live: LiveApp | undefined, sent: readonly TrafficEntry[]])[] = [
    ["of an absent app is the latest revision", undefined, [{ latestRevision: true, weight: 100 }]],
    [
      "names every revision and label",
      live([
        { revisionName: "a", weight: 90, label: "stable" },
        { revisionName: "b", weight: 10 },
      ]),
      [
        { revisionName: "a", weight: 90, label: "stable" },
        { revisionName: "b", weight: 10 },
      ],
    ],
    [
      "leaves out who gets nothing and has no label",
      live([
        { revisionName: "a", weight: 100 },
        { revisionName: "b", weight: 0, label: "old" },
        { revisionName: "c", weight: 0 },
      ]),
      [
        { revisionName: "a", weight: 100 },
        { revisionName: "b", weight: 0, label: "old" },
      ],
    ],
    [
      "of an app in Single mode is its ready revision, whatever its entries say",
      {
        ...live([{ revisionName: "b", weight: 100 }], "a"),
        configuration: { activeRevisionsMode: "Single", ingress: { traffic: [{ revisionName: "b", weight: 100 }] } },
      },
      [{ revisionName: "a", weight: 100 }],
    ],
    [
      "drops what Azure adds",
      live([{ revisionName: "a", weight: 100, latestRevision: false }]),
      [{ revisionName: "a", weight: 100 }],
    ],
    [
      "pins the latest revision to its name once there is a ready one",
      live([{ latestRevision: true, weight: 100 }], "a"),
      [{ revisionName: "a", weight: 100 }],
    ],
    [
      "keeps the latest revision while none was ever ready",
      live([{ latestRevision: true, weight: 100 }]),
      [{ latestRevision: true, weight: 100 }],
    ],
    [
      "adds up two entries that come to the same revision",
      live(
        [
          { latestRevision: true, weight: 40 },
          { revisionName: "a", weight: 60 },
        ],
        "a",
      ),
      [{ revisionName: "a", weight: 100 }],
    ],
    ["of an app without ingress is its ready revision", live(undefined, "a"), [{ revisionName: "a", weight: 100 }]],
  ];
  test.each(rows)("%s", (_title, app, sent) => expect(trafficToSend("storefront", app)).toEqual(sent));

  test("is refused where the live weights do not add up to 100", () => {
    expect(() => trafficToSend("storefront", live([{ revisionName: "a", weight: 60 }]))).toThrow(
      expect.objectContaining({ id: "canary-app-traffic-uneven", message: expect.stringContaining("add up to 60") }),
    );
  });
  test("is equal text when it is equal traffic, whatever its order", () => {
    expect(
      describeTraffic([
        { revisionName: "b", weight: 5 },
        { revisionName: "a", weight: 95 },
      ]),
    ).toBe("a 95 %, b 5 %");
  });
});

describe("an app that is live already", () => {
  const ingress = {
    external: true,
    targetPort: 8080,
    transport: "Http",
    traffic: [{ revisionName: "a", weight: 100 }],
  };
  const template = { containers: [{ name: "storefront", image: "storefront:2" }], scale: { minReplicas: 1 } };
  const planned = {
    template,
    configuration: {
      activeRevisionsMode: "Multiple",
      ingress: { external: true, targetPort: 8080, transport: "http" },
      secrets: [],
    },
  };
  const shown = (
    configuration: object,
    liveTemplate: object = { containers: [{ name: "storefront", image: "storefront:1" }] },
  ) =>
    record(
      () => readTraffic("shop", "storefront", new Somewhere(), planned),
      () => ({
        latestReadyRevisionName: "a",
        template: liveTemplate,
        configuration: { activeRevisionsMode: "Multiple", ingress, ...configuration },
      }),
    );

  test.each([
    ["without ingress", { ingress: undefined }, "has no ingress"],
    ["with a TCP ingress", { ingress: { ...ingress, transport: "Tcp" } }, "its ingress is TCP"],
    [
      "that keeps users where they are",
      { ingress: { ...ingress, stickySessions: { affinity: "sticky" } } },
      "answered them first",
    ],
    ["in Labels mode", { activeRevisionsMode: "Labels" }, "Labels revision mode"],
  ])("stops the preview with canary-app-unfit: %s", async (_what, configuration, says) => {
    await expect(shown(configuration)).rejects.toThrow(
      expect.objectContaining({ id: "canary-app-unfit", message: expect.stringContaining(says) }),
    );
  });

  test.each([
    ["another port", { ingress: { ...ingress, targetPort: 80 } }, "ingress.targetPort from 80 to 8080"],
    ["an app that was internal", { ingress: { ...ingress, external: false } }, "ingress.external from false to true"],
    [
      "rules that the program does not have",
      { ingress: { ...ingress, ipSecurityRestrictions: [{ name: "office" }] } },
      "ingress.ipSecurityRestrictions from [{",
    ],
    ["a secret less", { secrets: [{ name: "api-key" }] }, "the secret api-key is taken away"],
    [
      "a registry less",
      { registries: [{ server: "old.azurecr.io", identity: "x" }] },
      "the registry old.azurecr.io is taken away",
    ],
  ])(
    "stops the preview of a release with canary-app-scope-changes, and lets the same pass without a release: %s",
    async (_what, configuration, says) => {
      await expect(shown(configuration)).rejects.toThrow(
        expect.objectContaining({ id: "canary-app-scope-changes", message: expect.stringContaining(says) }),
      );
      const asIs = { ...template, terminationGracePeriodSeconds: 30, scale: { minReplicas: 1, maxReplicas: 10 } };
      expect((await shown(configuration, asIs)).made).toEqual([{ revisionName: "a", weight: 100 }]);
    },
  );

  test("a registry that is added stops a release only where the revision that serves pulls from it, and an identity's id is compared without its case", async () => {
    const from = (image: string, configuration: object = {}) =>
      record(
        () =>
          readTraffic("shop", "storefront", new Somewhere(), {
            ...planned,
            configuration: {
              ...planned.configuration,
              registries: [{ server: "shop123.azurecr.io", identity: "/subscriptions/s/resourceGroups/Shop/x" }],
            },
          }),
        () => ({
          latestReadyRevisionName: "a",
          template: { containers: [{ image }] },
          configuration: { activeRevisionsMode: "Multiple", ingress, ...configuration },
        }),
      );
    expect((await from("registry.example/storefront:1")).made).toEqual([{ revisionName: "a", weight: 100 }]);
    await expect(from("shop123.azurecr.io/storefront:1")).rejects.toThrow("the registry shop123.azurecr.io is added");
    expect(
      (
        await from("shop123.azurecr.io/storefront:1", {
          registries: [
            { server: "shop123.azurecr.io", identity: "/subscriptions/s/resourcegroups/shop/x", username: "" },
          ],
        })
      ).made,
    ).toEqual([{ revisionName: "a", weight: 100 }]);
    await expect(
      from("shop123.azurecr.io/storefront:1", { registries: [{ server: "shop123.azurecr.io", identity: "/other" }] }),
    ).rejects.toThrow("signed in to by somebody else");
  });

  test("a secret that is added stops a release only where the revision that serves takes whatever secrets there are", async () => {
    const beside = (volumes: readonly object[]) =>
      record(
        () =>
          readTraffic("shop", "storefront", new Somewhere(), {
            ...planned,
            configuration: { ...planned.configuration, secrets: [{ name: "telemetry" }] },
          }),
        () => ({
          latestReadyRevisionName: "a",
          template: { containers: [{ name: "storefront", image: "storefront:1" }], volumes },
          configuration: { activeRevisionsMode: "Multiple", ingress },
        }),
      );
    expect(
      (
        await beside([
          { name: "one", storageType: "Secret", secrets: [{ secretRef: "api-key", path: "key" }] },
          { name: "scratch", storageType: "EmptyDir" },
        ])
      ).made,
    ).toEqual([{ revisionName: "a", weight: 100 }]);
    for (const secrets of [undefined, null, []])
      await expect(beside([{ name: "all", storageType: "Secret", secrets }])).rejects.toThrow(
        "the secret telemetry is added",
      );
  });

  test("lets a release pass that changes its revision alone, whatever Azure has filled in", async () => {
    expect(
      (
        await shown({
          maxInactiveRevisions: 100,
          ingress: { ...ingress, allowInsecure: false, exposedPort: 0, fqdn: "storefront.example.net" },
        })
      ).made,
    ).toEqual([{ revisionName: "a", weight: 100 }]);
  });
});

describe("a read that fails", () => {
  const failing = (message: string) =>
    record(
      () => readTraffic("shop", "storefront", new Somewhere()),
      () => {
        throw new Error(message);
      },
    );
  const absent = ["ResourceNotFound", "ResourceGroupNotFound"];
  test.each(absent)("means an absent app when it says %s", async (code) => {
    expect((await failing(`Status=404 Code="${code}" Message="It was not found."`)).made).toEqual([
      { latestRevision: true, weight: 100 },
    ]);
  });

  test("stops the preview with canary-app-unreadable when nobody ever answers", async () => {
    const silent = record(
      () => readTraffic("shop", "storefront", new Somewhere(), undefined, 0.05),
      () => new Promise((resolve) => setTimeout(() => resolve({}), 500)),
    );
    await expect(silent).rejects.toThrow(
      expect.objectContaining({
        id: "canary-app-unreadable",
        message: expect.stringContaining("no answer in 0.05 seconds"),
      }),
    );
  });

  const rows: readonly (readonly [status: string, message: string, fix: string])[] = [
    [
      "403",
      `Status=403 Code="AuthorizationFailed" Message="The client 'x' does not have authorization to perform action 'Microsoft.App/containerApps/read' over scope '/subscriptions/s'"`,
      "the right Microsoft.App/containerApps/read",
    ],
    ["403 without words", 'Status=403 Code="" Message=""', "the right Microsoft.App/containerApps/read"],
    [
      "404 of the subscription",
      'Status=404 Code="SubscriptionNotFound" Message="The subscription was not found."',
      "run the same command again",
    ],
    ["404 of nobody knows what", "Status=404", "run the same command again"],
    ["401", 'Status=401 Code="ExpiredAuthenticationToken"', "run the same command again"],
    ["429", 'Status=429 Code="TooManyRequests"', "run the same command again"],
    ["500", 'Status=500 Code="InternalServerError"', "run the same command again"],
    ["broken connection", "read ECONNRESET", "run the same command again"],
  ];
  test.each(rows)("stops the preview with canary-app-unreadable: %s", async (_status, message, fix) => {
    const refused = failing(message);
    await expect(refused).rejects.toThrow(
      expect.objectContaining({ id: "canary-app-unreadable", fix: expect.stringContaining(fix) }),
    );
  });
});

describe("the guard of an update", () => {
  const here = { revisionName: "a", weight: 100 };
  interface World {
    readonly old?: object;
    readonly hold?: object;
    readonly traffic?: readonly object[];
    /** More of the new inputs. */
    readonly more?: { readonly template?: object; readonly secrets?: readonly object[] };
  }
  async function update(
    planned: readonly TrafficEntry[],
    { hold = { id: "h1", until: 0 }, traffic = [here], old, more = {} }: World,
  ) {
    const asked: (readonly [string, object])[] = [];
    const said: string[] = [];
    const { warn: write } = console;
    console.warn = (line: string) => void said.push(line); // where the SDK puts what it would tell an engine
    const answers: Answers = (token, inputs) => {
      asked.push([token, inputs]);
      return token === "ballast:index:hold" ? hold : token === "ballast:index:unhold" ? {} : live(traffic, "a");
    };
    const { made } = await record(async () => {
      const guarded = {
        name: "storefront",
        endpoint: "https://control-plane.example.net",
        audience: "api://ballast",
        resourceGroup: "shop",
        app: "storefront",
      };
      const { beforeUpdate, afterUpdate, onError } = trafficGuard(guarded, new Somewhere());
      const args = {
        urn: "",
        id: "",
        name: "",
        type: "",
        newInputs: {
          template: more.template,
          configuration: pulumi.secret({ secrets: more.secrets, ingress: { traffic: planned } }),
        },
        ...(old ? { oldInputs: old } : {}),
      };
      const error = await (beforeUpdate![0] as pulumi.ResourceHook).callback(args)?.then(
        () => undefined,
        (thrown: Error) => thrown.message,
      );
      const before = asked.map(([token]) => token.split(":").at(-1));
      await (afterUpdate![0] as pulumi.ResourceHook).callback(args);
      const retried = await onError![0]!.callback({ ...args, failedOperation: "update", errors: [] });
      return { error, before, retried };
    }, answers).finally(() => {
      console.warn = write;
    });
    return { ...made, asked, said: said.join("\n") };
  }

  test("holds, compares, lets the update pass and gives the hold back once", async () => {
    const { error, before, asked, retried } = await update([here], {});
    expect(error).toBeUndefined();
    expect(before).toEqual(["hold", "getContainerApp"]);
    const of = {
      endpoint: "https://control-plane.example.net",
      audience: "api://ballast",
      resourceGroup: "shop",
      app: "storefront",
    };
    expect(asked[0]).toEqual(["ballast:index:hold", { ...of, seconds: 120 }]);
    expect(asked.slice(2)).toEqual([["ballast:index:unhold", { ...of, id: "h1" }]]);
    expect(retried).toBe(false);
  });
  test("refuses with canary-app-traffic-moved when a rollback came in between, and gives the hold back at once", async () => {
    const { error, before } = await update([{ revisionName: "b", weight: 100 }], {});
    expect(error).toContain("canary-app-traffic-moved");
    expect(error).toContain("was b 100 % when this update was planned and is a 100 % now");
    expect(before).toEqual(["hold", "getContainerApp", "unhold"]);
  });
  test("refuses with canary-app-held while another update holds the app, and gives nothing back that is not its own", async () => {
    const { error, asked } = await update([here], { hold: { heldBy: "ci" } });
    expect(error).toContain("canary-app-held");
    expect(asked.map(([token]) => token)).toEqual(["ballast:index:hold"]);
  });
  test("refuses with canary-app-scope-changes when a secret gets another value together with the template, before anything is held", async () => {
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
    expect(asked).toEqual([]);
    expect(
      (await update([here], { old, more: { template: { a: 1 }, secrets: [{ name: "api-key", value: "v-second" }] } }))
        .error,
    ).toBeUndefined();
    expect(
      (await update([here], { old, more: { template: { a: 2 }, secrets: [{ name: "api-key", value: "v-first" }] } }))
        .error,
    ).toBeUndefined();
  });
  test("lets a secret's new value pass alone, with canary-app-secret-waits as a warning that does not tell it", async () => {
    const old = {
      template: { a: 1 },
      configuration: { secrets: [{ name: "api-key", value: "v-first" }], ingress: { traffic: [here] } },
    };
    const { error, said } = await update([here], {
      old,
      more: { template: { a: 1 }, secrets: [{ name: "api-key", value: "v-second" }] },
    });
    expect(error).toBeUndefined();
    expect(said).toContain('canary-app-secret-waits  "storefront" gets new values of api-key');
    expect(said).not.toContain("v-");
  });
  test("compares all the same when the control plane does not answer, and goes on with canary-app-unguarded as a warning", async () => {
    const down = { hold: { unreachable: "Nobody answers." } };
    const { error, said } = await update([here], down);
    expect([error, said.includes("canary-app-unguarded")]).toEqual([undefined, true]);
    expect((await update([{ revisionName: "b", weight: 100 }], down)).error).toContain("canary-app-traffic-moved");
  });
});
