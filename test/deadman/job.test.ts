// The dead man's switch as the platform runs it: a job with its own identity and role, against the emulator and a
// heartbeat that the test controls. proof.test.ts has a real control plane that dies.
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { switchActions } from "../../components/platform/dead-mans-switch.ts";
import { plan } from "../../deadman/restore.ts";
import { type Entry, type Estate, openEstate } from "../support/controlplane/dead-mans-estate.ts";
import { eventually } from "../support/emulator/container-cloud.ts";

let estate: Estate;
let health: string;
let stable: string;
let canary: string;
/** The control plane's health answer; undefined while it drops every connection. */
let heartbeat: { readonly status: number; readonly body: object } | undefined;
const beats = (inFlight: number, overdueSeconds: number): typeof heartbeat => ({
  status: 200,
  body: { status: "ok", inFlight, overdueSeconds, lastWriteSecondsAgo: 100_000 },
});
/** The answer of a control plane of the previous version. */
const beatsAsBefore = (inFlight: number, lastWriteSecondsAgo: number): typeof heartbeat => ({
  status: 200,
  body: { status: "ok", inFlight, lastWriteSecondsAgo },
});
/** The body of a heartbeat that goes on for as long as its reader reads. */
const endless = { endless: true };
const server = http.createServer((request, response) => {
  if (!heartbeat) return void request.socket.destroy();
  response.writeHead(heartbeat.status);
  if (heartbeat.body !== endless) return void response.end(JSON.stringify(heartbeat.body));
  const more = (): void => {
    while (!response.destroyed && response.write(" ".repeat(2 ** 20)));
  };
  response.on("drain", more);
  more();
});

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  health = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
  estate = await openEstate({
    teller: { folder: new URL("../support/emulator/", import.meta.url).pathname, entry: "print-environment.mjs" },
  });
  stable = (
    await estate.ask("GET", `${estate.group}/providers/Microsoft.App/containerApps/storefront?api-version=2025-07-01`)
  ).body.properties.latestRevisionName;
  await estate.setTraffic({ revisionName: stable, weight: 100, label: "stable" });
  canary = await estate.release({ RELEASE: "2" });
  await estate.putSwitch({ BALLAST_HEALTH: health });
});
afterAll(async () => {
  server.close();
  await estate?.close();
});
beforeEach(async () => {
  heartbeat = undefined;
  await estate.fault();
  await estate.revision(stable, "activate");
  await eventually(
    () => estate.revision(stable),
    ({ healthState }) => healthState === "Healthy",
  );
  await estate.setTraffic(...split());
  await estate.writes();
});

const split = (): readonly Entry[] => [
  { revisionName: stable, weight: 75, label: "stable" },
  { revisionName: canary, weight: 25, label: "canary" },
];
const whole = (): readonly Entry[] => [
  { revisionName: stable, weight: 100, label: "stable" },
  { revisionName: canary, weight: 0, label: "canary" },
];
/** The worst case: the canary has all traffic, and stable is deactivated. */
const stableDown = async (): Promise<void> => {
  await estate.setTraffic(
    { revisionName: canary, weight: 100, label: "canary" },
    { revisionName: stable, weight: 0, label: "stable" },
  );
  await estate.revision(stable, "deactivate");
  await estate.writes();
};

describe("a heartbeat", () => {
  test.each([
    ["with nothing in flight, however long ago the last write was", beats(0, 0)],
    ["with a paused rollout of which nothing is due, however long ago the last write was", beats(1, 0)],
    ["with a rollout in flight that the loop looked at just now", beats(1, 0.2)],
    ["of the previous version with a write just now", beatsAsBefore(1, 0.2)],
  ])("%s ends the run without a write", async (_, beat) => {
    heartbeat = beat;
    const { status, lines } = await estate.run();
    expect([status, lines.map(({ what }) => what), await estate.writes()]).toEqual(["Succeeded", ["heartbeat"], []]);
    expect(await estate.traffic()).toEqual(split());
  });

  test("that arrives while the switch still listens ends the run without a write", async () => {
    await estate.putSwitch({ BALLAST_HEALTH: health, BALLAST_DEADMAN_SECONDS: "30" });
    const execution = await estate.start();
    await once(server, "request");
    heartbeat = beats(1, 0);
    expect((await estate.ended(execution)).lines.map(({ what }) => what)).toEqual(["heartbeat"]);
    await estate.putSwitch({ BALLAST_HEALTH: health });
    expect(await estate.writes()).toEqual([]);
  });

  test.each([
    ["no answer at all", undefined, "ECONNRESET"],
    [
      "a database that is gone",
      { status: 503, body: { error: { id: "journal-unreachable", message: "The journal does not answer." } } },
      "503 The journal does not answer.",
    ],
    ["a rollout that the loop left alone for longer than the silence", beats(1, 1.5), "has left one alone for 1.5 s"],
    ["no write for longer than the silence, of the previous version", beatsAsBefore(2, 1.5), "rollouts in flight: 2"],
    ["an answer without end", { status: 200, body: endless }, "its answer has more than 4 MiB"],
    ["an answer of another server", { status: 200, body: {} }, "without the number of rollouts in flight"],
  ])("is not %s: stable gets all traffic back, and every label stays", async (_, beat, why) => {
    heartbeat = beat;
    const { status, lines } = await estate.run();
    expect([status, lines.map(({ what }) => what)]).toEqual(["Succeeded", ["silence", "restored"]]);
    expect(lines[0].message).toContain(why);
    expect(lines[1]).toMatchObject({
      resourceGroup: "estate",
      app: "storefront",
      message: `${stable} has 100 percent again; before: ${stable} 75, ${canary} 25`,
    });
    expect(await estate.traffic()).toEqual(whole());
    expect(await estate.writes()).toEqual(["PATCH storefront 202"]);
  });
});

describe("in silence", () => {
  test("an app whose stable revision has all traffic is left alone, whatever its other labels", async () => {
    await estate.setTraffic(...whole());
    await estate.writes();
    const { status, lines } = await estate.run();
    expect([status, lines.at(-1).what, await estate.writes()]).toEqual(["Succeeded", "left-alone", []]);
  });

  test("an app without the label is left alone, with the reason", async () => {
    await estate.setTraffic(
      { revisionName: stable, weight: 75 },
      { revisionName: canary, weight: 25, label: "canary" },
    );
    await estate.writes();
    const { status, lines } = await estate.run();
    expect([status, lines.at(-1).what, await estate.writes()]).toEqual(["Succeeded", "left-alone", []]);
    expect(lines.at(-1).message).toContain("no revision has the label stable");
  });

  test("a deactivated stable revision is activated first and gets its traffic when it is ready", async () => {
    await stableDown();
    const { status, lines } = await estate.run();
    expect([status, lines.at(-1).what, await estate.writes()]).toEqual([
      "Succeeded",
      "restored",
      [`POST ${stable}/activate 200`, "PATCH storefront 202"],
    ]);
    expect(
      (await estate.ask("GET", `https://storefront.${estate.domain}/`, undefined, { token: null })).headers[
        "x-emulator-revision"
      ],
    ).toBe(stable);
  });

  test("a stable revision that does not become ready gets no traffic, and the execution fails", async () => {
    const broken = await estate.release({ RELEASE: "3", FAULT: "never-ready" });
    await estate.setTraffic(
      { revisionName: stable, weight: 100 },
      { revisionName: broken, weight: 0, label: "stable" },
    );
    await estate.putSwitch({ BALLAST_HEALTH: health, BALLAST_DEADMAN_PATIENCE_SECONDS: "2" });
    await estate.writes();
    const { status, lines } = await estate.run();
    await estate.putSwitch({ BALLAST_HEALTH: health });
    expect([status, lines.at(-1).what, await estate.writes()]).toEqual(["Failed", "failed", []]);
    expect(lines.at(-1).message).toMatch(
      new RegExp(`its stable revision ${broken} is \\w+, \\w+ \\(given up after 2 s\\)`),
    );
    await estate.revision(broken, "deactivate");
  });

  test("a stable revision that no longer exists fails the execution, and nothing is written", async () => {
    await estate.fault({ method: "GET", path: `/revisions/${stable}$`, status: 404, code: "ResourceNotFound" });
    const { status, lines } = await estate.run();
    expect([status, lines.at(-1).message, await estate.writes()]).toEqual([
      "Failed",
      `its stable revision ${stable} no longer exists`,
      [],
    ]);
  });

  test.each([
    ["busy", { status: 409, code: "ContainerAppOperationInProgress", times: 2 }],
    ["throttling", { status: 429, retryAfterSeconds: 1 }],
    ["failing", { status: 500, times: 2 }],
    ["losing the answer to what it did", { loseAnswer: true }],
    ["losing the answer to what it did not do", { loseAnswer: true, status: 500 }],
  ])("a Resource Manager that is %s for a while does not prevent the restore", async (_, fault) => {
    await estate.fault({ method: "PATCH", path: "/containerApps/storefront$", ...fault });
    const { status, lines } = await estate.run();
    expect([status, lines.at(-1).what, await estate.traffic()]).toEqual(["Succeeded", "restored", whole()]);
  });

  test("two runs at the same time are harmless", async () => {
    await stableDown();
    const runs = await Promise.all((await Promise.all([estate.start(), estate.start()])).map(estate.ended));
    expect(runs.map(({ status }) => status)).toEqual(["Succeeded", "Succeeded"]);
    expect(new Set(runs.map(({ lines }) => lines.at(-1).message.startsWith(`${stable} has 100 percent`)))).toEqual(
      new Set([true]),
    );
    expect((await estate.traffic())[0]).toEqual(whole()[0]);
  });

  test("a control plane that comes back before anything was written keeps the app", async () => {
    await estate.fault({
      method: "PATCH",
      path: "/containerApps/storefront$",
      status: 409,
      code: "ContainerAppOperationInProgress",
      times: 1000,
    });
    const execution = await estate.start();
    await eventually(estate.writes, (writes) => writes.length > 0);
    heartbeat = beats(1, 0.1);
    const { status, lines } = await estate.ended(execution);
    expect([status, lines.at(-1).what, await estate.traffic()]).toEqual(["Succeeded", "left-alone", split()]);
    expect(lines.at(-1).message).toContain("the heartbeat is back");
  });
});

describe("the identity of the switch", () => {
  test.each(switchActions)("cannot work without %s, and the execution fails with that reason", async (taken) => {
    await stableDown();
    const before = await estate.traffic();
    await estate.allow(switchActions.filter((action) => action !== taken));
    const { status, lines } = await estate.run();
    await estate.allow(switchActions);
    expect([status, lines.at(-1).what, await estate.traffic()]).toEqual(["Failed", "failed", before]);
    expect(lines.at(-1).message).toContain(`403 AuthorizationFailed`);
    expect(lines.at(-1).message).toContain(`'${taken}'`);
  });

  test("may do nothing else: no other app, no deletion, no secret, no deactivation, no role assignment", async () => {
    await estate.release({ RELEASE: "1" }, "neighbour");
    await estate.putSwitch({}, undefined, "teller");
    const execution = await estate.start();
    const [line] = await eventually(
      () => estate.linesOf(execution),
      (lines) => lines.length > 0,
    );
    await estate.putSwitch({ BALLAST_HEALTH: health });
    const signedIn = await fetch(
      `${line.IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=https://management.azure.com` +
        `&client_id=${line.AZURE_CLIENT_ID}`,
      { headers: { "X-IDENTITY-HEADER": line.IDENTITY_HEADER } },
    );
    const token = ((await signedIn.json()) as { access_token: string }).access_token;
    const app = (name: string): string => `${estate.group}/providers/Microsoft.App/containerApps/${name}`;
    const status = async (method: string, path: string, version = "2025-07-01") =>
      (
        await estate.ask(
          method,
          `${path}?api-version=${version}`,
          method === "GET" || method === "DELETE" ? undefined : { properties: {} },
          { token },
        )
      ).status;
    expect(await status("GET", app("storefront"))).toBe(200); // else the refusals below would show nothing
    const tried = [
      status("GET", app("neighbour")),
      status("PATCH", app("neighbour")),
      status("DELETE", app("neighbour")),
      status("DELETE", app("storefront")),
      status("POST", `${app("storefront")}/listSecrets`),
      status("POST", `${app("storefront")}/revisions/${stable}/deactivate`),
      status("POST", `${app("storefront")}/revisions/${stable}/restart`),
      status("GET", estate.group, "2024-03-01"),
      status("DELETE", estate.group, "2024-03-01"),
      status("GET", estate.environmentId),
      status("PUT", `${estate.group}/providers/Microsoft.App/jobs/dead-mans-switch`),
      status(
        "PUT",
        `${app("storefront")}/providers/Microsoft.Authorization/roleAssignments/${crypto.randomUUID()}`,
        "2022-04-01",
      ),
    ];
    expect(await Promise.all(tried)).toEqual(tried.map(() => 403));
  });

  test("never logs its token", async () => {
    const { lines } = (await estate.ask("GET", "/_emulator/logs?app=dead-mans-switch")).body;
    expect(JSON.stringify(lines.filter(({ json }: any) => json?.what))).not.toMatch(/eyJ|hush/);
  });
});

describe("what an app lacks", () => {
  const properties = (traffic: readonly object[], more: object = {}) => ({
    provisioningState: "Succeeded",
    configuration: { activeRevisionsMode: "Multiple", ingress: { traffic } },
    ...more,
  });
  test.each([
    ["nothing in Single mode", { configuration: { activeRevisionsMode: "Single" } }, "nothing"],
    ["nothing without ingress", { configuration: { activeRevisionsMode: "Multiple" } }, "nothing"],
    [
      "nothing that is known where the label is on no name",
      properties([{ latestRevision: true, weight: 100, label: "stable" }]),
      "nothing",
    ],
    [
      "patience while another operation is under way",
      properties([{ revisionName: "a", weight: 100, label: "stable" }], { provisioningState: "InProgress" }),
      "wait",
    ],
    [
      "a write where the last one failed, whatever it shows",
      properties([{ revisionName: "a", weight: 100, label: "stable" }], { provisioningState: "Failed" }),
      "shift",
    ],
    [
      "a write where the latest revision has a share, whichever that is",
      properties([
        { revisionName: "a", weight: 90, label: "stable" },
        { latestRevision: true, weight: 10 },
      ]),
      "shift",
    ],
    [
      "nothing where names differ in case alone",
      properties([
        { revisionName: "A", weight: 0, label: "stable" },
        { revisionName: "a", weight: 100 },
      ]),
      "nothing",
    ],
  ])("is %s", (_, given, what) => expect(plan(given).what).toBe(what));

  test("keeps every label of others, on the same revision too, and drops unlabelled entries", () => {
    const traffic = [
      { revisionName: "a", weight: 50, label: "stable" },
      { revisionName: "a", weight: 10, label: "blue" },
      { revisionName: "b", weight: 30 },
      { latestRevision: true, weight: 10, label: "next" },
    ];
    expect(plan(properties(traffic))).toEqual({
      what: "shift",
      stable: "a",
      traffic: [
        { revisionName: "a", weight: 100, label: "stable" },
        { revisionName: "a", weight: 0, label: "blue" },
        { latestRevision: true, weight: 0, label: "next" },
      ],
    });
  });
});
