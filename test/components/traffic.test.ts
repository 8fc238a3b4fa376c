// The traffic that an update sends, and when a failed read means that an app does not exist.
import { describe, expect, test } from "vitest";
import {
  describeTraffic,
  type LiveApp,
  readLive,
  servingIn,
  type TrafficEntry,
  trafficToSend,
} from "../../components/canary-app/traffic.ts";
import { live, Somewhere } from "../support/program/live-app.ts";
import { record } from "../support/program/mocks.ts";

describe("the traffic that an update sends", () => {
  const rows: readonly (readonly [title: string, live: LiveApp | undefined, sent: readonly TrafficEntry[]])[] = [
    ["is the latest revision for an app that does not exist", undefined, [{ latestRevision: true, weight: 100 }]],
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
      "leaves out revisions without weight and label",
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
      "is the ready revision for an app in Single mode, whatever its entries are",
      {
        ...live([{ revisionName: "b", weight: 100 }], "a"),
        configuration: { activeRevisionsMode: "Single", ingress: { traffic: [{ revisionName: "b", weight: 100 }] } },
      },
      [{ revisionName: "a", weight: 100 }],
    ],
    [
      "omits the fields that Azure adds",
      live([{ revisionName: "a", weight: 100, latestRevision: false }]),
      [{ revisionName: "a", weight: 100 }],
    ],
    [
      "names the latest revision once one is ready",
      live([{ latestRevision: true, weight: 100 }], "a"),
      [{ revisionName: "a", weight: 100 }],
    ],
    [
      "keeps `latestRevision` while no revision was ever ready",
      live([{ latestRevision: true, weight: 100 }]),
      [{ latestRevision: true, weight: 100 }],
    ],
    [
      "adds up two entries of the same revision",
      live(
        [
          { latestRevision: true, weight: 40 },
          { revisionName: "a", weight: 60 },
        ],
        "a",
      ),
      [{ revisionName: "a", weight: 100 }],
    ],
    ["is the ready revision for an app without ingress", live(undefined, "a"), [{ revisionName: "a", weight: 100 }]],
  ];
  test.each(rows)("%s", (_title, app, sent) => expect(trafficToSend("storefront", app)).toEqual(sent));

  test("is refused if the live weights do not add up to 100", () => {
    expect(() => trafficToSend("storefront", live([{ revisionName: "a", weight: 60 }]))).toThrow(
      expect.objectContaining({ id: "canary-app-traffic-uneven", message: expect.stringContaining("add up to 60") }),
    );
  });
  test("is described by the same text in any order", () => {
    expect(
      describeTraffic([
        { revisionName: "b", weight: 5 },
        { revisionName: "a", weight: 95 },
      ]),
    ).toBe("a 95 %, b 5 %");
  });
});

test.each<[string, readonly TrafficEntry[], string]>([
  ["one entry", [{ revisionName: "a", weight: 100 }], "a"],
  [
    "an entry for each label",
    [
      { revisionName: "a", weight: 60 },
      { revisionName: "A", weight: 40, label: "blue" },
    ],
    "a",
  ],
  [
    "an entry without weight",
    [
      { revisionName: "b", weight: 0, label: "old" },
      { revisionName: "a", weight: 100 },
    ],
    "a",
  ],
  [
    "two revisions",
    [
      { revisionName: "a", weight: 60 },
      { revisionName: "b", weight: 40 },
    ],
    "",
  ],
  ["a revision without a name", [{ latestRevision: true, weight: 100 }], ""],
])("what serves alone, by %s", (_what, traffic, serving) => expect(servingIn(traffic)).toBe(serving));

describe("a read that fails", () => {
  const failing = (message: string) =>
    record(
      async () => trafficToSend("storefront", await readLive("shop", "storefront", new Somewhere())),
      () => {
        throw new Error(message);
      },
    );
  const absent = ["ResourceNotFound", "ResourceGroupNotFound"];
  test.each(absent)("means that the app does not exist for the code %s", async (code) => {
    expect((await failing(`Status=404 Code="${code}" Message="It was not found."`)).made).toEqual([
      { latestRevision: true, weight: 100 },
    ]);
  });

  test("stops the preview with canary-app-unreadable if no answer ever comes", async () => {
    const silent = record(
      () => readLive("shop", "storefront", new Somewhere(), 0.05),
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
      `Status=403 Code="AuthorizationFailed" Message="The client 'x' does not have authorization to perform action ` +
        `'Microsoft.App/containerApps/read' over scope '/subscriptions/s'"`,
      "the permission Microsoft.App/containerApps/read",
    ],
    ["403 without a message", 'Status=403 Code="" Message=""', "the permission Microsoft.App/containerApps/read"],
    [
      "404 of the subscription",
      'Status=404 Code="SubscriptionNotFound" Message="The subscription was not found."',
      "run the same command again",
    ],
    ["404 without a code", "Status=404", "run the same command again"],
    ["401", 'Status=401 Code="ExpiredAuthenticationToken"', "run the same command again"],
    ["429", 'Status=429 Code="TooManyRequests"', "run the same command again"],
    ["500", 'Status=500 Code="InternalServerError"', "run the same command again"],
    ["broken connection", "read ECONNRESET", "run the same command again"],
    [
      "429 of an app that is named like a status",
      'GET /resourceGroups/rg/providers/Microsoft.App/containerApps/shop-403: Status=429 Code="TooManyRequests"',
      "run the same command again",
    ],
    [
      "500 in a group that is named like a code",
      'GET /resourceGroups/ResourceNotFound/providers/Microsoft.App/containerApps/shop-403: Status=500 Code="Internal"',
      "run the same command again",
    ],
    ["404 of a group named like a refusal", 'GET /rg/AuthorizationFailed: Status=404 Code=""', "run the same command"],
  ];
  test("means that an app named like a status does not exist yet", async () => {
    const message =
      'GET /containerApps/shop-403: Status=404 Code="ResourceNotFound" Message="The Resource \'shop-403\'"';
    expect((await failing(message)).made).toEqual([{ latestRevision: true, weight: 100 }]);
    const newer = "GET /containerApps/shop-403 RESPONSE 404: 404 Not Found ERROR CODE: ResourceNotFound";
    expect((await failing(newer)).made).toEqual([{ latestRevision: true, weight: 100 }]);
  });
  test.each(["response403", "response-403", "rg-Response403", "status403", "code-AuthorizationFailed", "ERROR-403"])(
    "means that an app in a group named %s does not exist yet",
    async (group) => {
      const url = `GET https://management.azure.com/subscriptions/s/resourceGroups/${group}/providers/x`;
      const answer = "--------\nRESPONSE 404: 404 Not Found\nERROR CODE: ResourceNotFound\n--------";
      const older = `Status=404 Code="ResourceNotFound" Message="The Resource under resource group '${group}'"`;
      for (const message of [`${url}\n${answer}`, `${url} ${older}`, `app.Get: ${group}: ${older}`])
        expect((await failing(message)).made).toEqual([{ latestRevision: true, weight: 100 }]);
    },
  );
  test.each(rows)("stops the preview with canary-app-unreadable: %s", async (_status, message, fix) => {
    const refused = failing(message);
    await expect(refused).rejects.toThrow(
      expect.objectContaining({ id: "canary-app-unreadable", fix: expect.stringContaining(fix) }),
    );
  });
});
