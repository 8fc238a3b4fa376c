// Notifications of rollouts: which facts are reported, that each arrives although receivers fail in every way, that no
// rollout waits for them, and that no address and no key is ever logged. The store is a real PostgreSQL; the receivers
// are servers on loopback.
import { createHmac } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { fetchDispatcher } from "../../../connect-to.ts";
import { githubNotifier } from "../../../controlplane/adapters/notifiers/github.ts";
import { slackNotifier } from "../../../controlplane/adapters/notifiers/slack.ts";
import { teamsNotifier } from "../../../controlplane/adapters/notifiers/teams.ts";
import { webhookNotifier } from "../../../controlplane/adapters/notifiers/webhook.ts";
import { readNotifiers } from "../../../controlplane/read-notifiers.ts";
import { notificationsOf } from "../../../engines/rollout/notifications.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { type NotificationBench, openBench } from "../../support/controlplane/notification-bench.ts";
import { type Receiver, startReceiver } from "../../support/controlplane/receiver.ts";
import { hostile, hostileFacts, scenarioFacts } from "../../support/controlplane/report-facts.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";

const eventsOf = async (name: string): Promise<readonly RolloutEvent[]> =>
  (await scenarioFacts(name)).map(({ event }) => event);
const rolledBack = await eventsOf("aborts-when-failures-exceed-the-limit");
/** Shortly after the journals of the scenarios were written. */
const then = rolledBack[0]!.at + 600_000;
const stream = "rollout/shop/storefront/storefront--2";
const secretPart = "services/T000/secret-part";
const never = new AbortController().signal;
const wire = { dispatcher: fetchDispatcher(undefined) };

describe("notifications", () => {
  const kinds = (events: readonly RolloutEvent[], from = 0) =>
    notificationsOf(stream, events, from).map(({ kind, index }) => `${index} ${kind}`);

  test("are the start, each step, each wait and the end, and nothing else", async () => {
    expect(kinds(rolledBack).map((line) => line.split(" ")[1])).toEqual([
      "started",
      "step-reached",
      "step-reached",
      "rolled-back",
    ]);
    expect(
      kinds(await eventsOf("waits-while-stable-is-sick-then-promotes")).map((line) => line.split(" ")[1]),
    ).toContain("waiting");
    expect(kinds(await eventsOf("promotes-when-every-step-passes")).map((line) => line.split(" ")[1])).toEqual([
      "started",
      "step-reached",
      "step-reached",
      "step-reached",
      "step-reached",
      "promoted",
    ]);
  });

  test("continue from any fact with the same ids, because the id is the fact's", () => {
    const all = notificationsOf(stream, rolledBack, 0);
    for (let from = 0; from <= rolledBack.length; from++)
      expect(notificationsOf(stream, rolledBack, from)).toEqual(all.filter(({ index }) => index >= from));
    expect(all.at(-1)!.id).toBe(`${stream}#${rolledBack.length - 1}`);
  });

  test("report a step once, although its weights were corrected", () => {
    const index = rolledBack.findIndex(({ kind }) => kind === "StepReached");
    const drifted: RolloutEvent = { kind: "TrafficDrifted", at: rolledBack[index]!.at, percent: 10, seenPercent: 80 };
    const again = [...rolledBack.slice(0, index + 1), drifted, ...rolledBack.slice(index - 2, index + 1)];
    expect(kinds(again)).toHaveLength(2);
  });
});

const postgres = postgresForTests();

describe("the notifier", () => {
  const open: { readonly close: () => Promise<void> }[] = [];
  const bench = (): Promise<NotificationBench> => openBench(postgres, open, then);
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });

  const receiver = async (): Promise<Receiver> => {
    const started = await startReceiver(secretPart);
    open.push({ close: async () => started[Symbol.asyncDispose]() });
    return started;
  };
  const webhook = ({ url }: Receiver, patienceSeconds = 10) =>
    webhookNotifier({ url, secret: "whsec_dGhlIHNpZ25pbmcga2V5IG9mIHRoZSB0ZXN0cw==" }, { ...wire, patienceSeconds });
  const typesOf = ({ received }: Receiver) => received.map(({ body }) => body.type);
  const whole = ["rollout.started", "rollout.step-reached", "rollout.step-reached", "rollout.rolled-back"];
  const has = (outside: Receiver, count: number) =>
    eventually(
      () => outside.received.length >= count,
      `${count} notifications, of which came ${outside.received.length}`,
      40,
    );

  test("delivers every notification to a webhook once, in order, and signed", async () => {
    const { append, start } = await bench();
    const outside = await receiver();
    await start([webhook(outside)]);
    await append(stream, rolledBack.slice(0, 20));
    await append(stream, rolledBack.slice(20));
    await has(outside, 4);
    expect(typesOf(outside)).toEqual(whole);
    for (const { headers, text, body } of outside.received) {
      const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${text}`;
      expect(headers["webhook-signature"]).toBe(
        `v1,${createHmac("sha256", "the signing key of the tests").update(signed).digest("base64")}`,
      );
      expect(decodeURIComponent(String(headers["idempotency-key"]))).toBe(body.data.id);
    }
    const { message } = rolledBack.at(-1) as { readonly message: string };
    expect(outside.received.at(-1)!.body.data).toEqual({
      id: `${stream}#${rolledBack.length - 1}`,
      resourceGroup: "shop",
      app: "storefront",
      revision: "storefront--2",
      release: "r2",
      reason: "worse-than-stable",
      message,
    });
  });

  test("loses nothing and keeps the order while a receiver is down, busy, silent or broken", async () => {
    const { append, start, logged } = await bench();
    const outside = await receiver();
    await outside.stop();
    await start([webhook(outside, 0.5)]);
    await append(stream, rolledBack);
    await eventually(() => logged.length > 0, "trouble in the log");
    outside.answers.push(
      "hang",
      { status: 429, headers: { "retry-after": "1" } },
      { status: 503 },
      { status: 200 },
      { status: 500 },
      { status: 302, headers: { location: "http://elsewhere.example" } },
    );
    await outside.start();
    await has(outside, 9);
    const ids = outside.received.map(({ body }) => body.data.id as string);
    const sent = [...new Set(ids)];
    expect(sent).toEqual(notificationsOf(stream, rolledBack, 0).map(({ id }) => id));
    expect(ids).toEqual(ids.toSorted((one, other) => sent.indexOf(one) - sent.indexOf(other)));
    expect(logged.join("\n")).toMatch(
      /Notification rollout\/shop\/storefront\/storefront--2#\d+ to webhook failed; will retry: it cannot be/,
    );
  });

  test("waits as long as a busy receiver asks", async () => {
    const { append, start } = await bench();
    const outside = await receiver();
    const at: number[] = [];
    outside.respond = () => {
      at.push(performance.now());
      return at.length === 1 ? { status: 429, headers: { "retry-after": "3" } } : { status: 200 };
    };
    await start([webhook(outside)]);
    await append(stream, rolledBack.slice(0, 5));
    await has(outside, 2);
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(2_900);
  });

  test("skips a notification that a receiver never accepts, logs it, and continues", async () => {
    const { append, start, logged } = await bench();
    const outside = await receiver();
    outside.answers.push({ status: 400 });
    await start([webhook(outside)]);
    await append(stream, rolledBack);
    await has(outside, 4);
    expect(typesOf(outside)).toEqual(whole);
    expect(logged).toEqual([expect.stringMatching(/^Notification .* to webhook is dropped: it answered 400$/)]);
  });

  test("two replicas deliver each notification once, and another recovers what a dead one had borrowed", async () => {
    const { append, start, notifications } = await bench();
    const outside = await receiver();
    const replicas = await Promise.all([start([webhook(outside)]), start([webhook(outside)])]);
    for (let n = 1; n <= 5; n++) await append(`rollout/shop/app${n}/app${n}--2`, rolledBack);
    await has(outside, 20);
    await Promise.all(replicas.map((replica) => replica.close()));
    expect(new Set(outside.received.map(({ body }) => body.data.id)).size).toBe(20);
    expect(outside.received).toHaveLength(20);
    await append(stream, rolledBack);
    expect(await notifications.borrow("webhook", 0.5)).toEqual({ stream, delivered: 0, failures: 0 }); // and dies
    expect(await notifications.borrow("webhook", 0.5)).toBeUndefined();
    await start([webhook(outside)]);
    await has(outside, 24);
    expect(typesOf(outside).slice(20)).toEqual(whole);
  });

  test("a notifier that does not answer delays no other, and older facts are not sent", async () => {
    const { append, start } = await bench();
    const deaf = await receiver();
    const outside = await receiver();
    await append("rollout/shop/old/old--2", rolledBack);
    deaf.respond = () => "hang";
    await start([
      webhookNotifier(
        { url: deaf.url, secret: `whsec_${Buffer.alloc(24, 7).toString("base64")}` },
        { ...wire, patienceSeconds: 30 },
      ),
      slackNotifier({ url: outside.url }, wire),
    ]);
    await append("rollout/shop/storefront/storefront--3", rolledBack);
    await has(outside, 4);
    expect(outside.received.map(({ body }) => body.text.split(":")[0])).toEqual([
      "storefront started",
      "storefront step-reached",
      "storefront step-reached",
      "storefront rolled-back",
    ]);
  });

  test("a notification that no notifier accepted for a day is dropped", async () => {
    const { append, start, logged } = await bench();
    const outside = await receiver();
    await start([webhook(outside)], then + 25 * 3_600_000);
    await append(stream, rolledBack);
    await eventually(() => logged.length === 4, "four notifications that are given up");
    expect(outside.received).toEqual([]);
  });

  test("logs and stores no address and no key, however a receiver fails", async () => {
    const { append, start, logged } = await bench();
    const outside = await receiver();
    outside.answers.push({ status: 500, body: { error: secretPart } }, { status: 400 }, "hang");
    await start([
      webhook(outside, 0.3),
      slackNotifier({ url: `${outside.url}/slack` }, { ...wire, patienceSeconds: 0.3 }),
    ]);
    await append(stream, rolledBack);
    await has(outside, 9);
    await outside.stop();
    await append("rollout/shop/api/api--2", rolledBack);
    await eventually(() => logged.some((line) => line.includes("ECONNREFUSED")), "a failure to connect");
    expect(logged.join("\n")).not.toMatch(/secret|127\.0\.0\.1|whsec|T000/);
  });
});

describe("a notifier", async () => {
  const hostileNotification = notificationsOf(
    stream,
    (await hostileFacts()).map(({ event }) => event),
    0,
  ).at(-1)!;
  const [notification] = notificationsOf(stream, rolledBack, 0);

  test("for Slack sends text without a mention and without a link", async () => {
    await using outside = await startReceiver(secretPart);
    expect(
      await slackNotifier({ url: outside.url }, wire).deliver(
        { ...hostileNotification, message: `${hostile} <!notifier> <https://x.example|safe>` },
        never,
      ),
    ).toEqual({ kind: "delivered" });
    expect(outside.received[0]!.text).not.toMatch(/<|>/);
    expect(outside.received[0]!.body.text).toContain("&lt;!notifier&gt;");
  });

  test("for Teams sends an Adaptive Card whose texts are runs, which Teams does not read as Markdown", async () => {
    await using outside = await startReceiver(secretPart);
    const message = "[safe](https://x.example) **bold**";
    await teamsNotifier({ url: outside.url }, wire).deliver({ ...hostileNotification, message }, never);
    const [{ contentType, content }] = outside.received[0]!.body.attachments;
    expect(contentType).toBe("application/vnd.microsoft.card.adaptive");
    expect(content.body.map(({ type, inlines: [run] }: any) => [type, run.type])).toEqual(
      content.body.map(() => ["RichTextBlock", "TextRun"]),
    );
    expect(content.body[1].inlines[0].text).toBe(message);
  });

  test("for GitHub creates one deployment for each rollout and one status for each notification", async () => {
    await using github = await startReceiver("api");
    const made: any[] = [];
    const statuses: any[] = [];
    github.respond = ({ method, path, body }) => {
      if (method === "GET")
        return {
          status: 200,
          body: made.filter(({ task }) => task === new URL(path, "http://x").searchParams.get("task")),
        };
      if (path.endsWith("/statuses")) {
        statuses.push([path, body.state, body.description]);
        return { status: 201, body: { id: 1 } };
      }
      made.push({ id: 40 + made.length, ...body });
      return { status: 201, body: made.at(-1) };
    };
    const notifier = githubNotifier(
      { api: github.url, repository: "shop/storefront", ref: "main", token: "ghs_token" },
      wire,
    );
    for (const each of [...notificationsOf(stream, rolledBack, 0), ...notificationsOf(stream, rolledBack, 0).slice(-1)])
      expect(await notifier.deliver(each, never)).toEqual({ kind: "delivered" });
    await notifier.deliver({ ...notification!, id: "rollout/shop/storefront/storefront--3#2" }, never);
    expect(
      made.map(({ id, ref, environment, required_contexts, auto_merge }) => [
        id,
        ref,
        environment,
        required_contexts,
        auto_merge,
      ]),
    ).toEqual([
      [40, "main", "shop/storefront", [], false],
      [41, "main", "shop/storefront", [], false],
    ]);
    expect(statuses.map(([path, state]) => `${String(path).slice(-12, -9)} ${state}`)).toEqual([
      "/40 in_progress",
      "/40 in_progress",
      "/40 in_progress",
      "/40 failure",
      "/40 failure",
      "/41 in_progress",
    ]);
    for (const [, , description] of statuses) expect(description.length).toBeLessThanOrEqual(140);
    for (const { headers } of github.received) expect(headers.authorization).toBe("Bearer ghs_token");
  });

  test("for GitHub retries after a refusal, but not for an unknown branch", async () => {
    await using github = await startReceiver("api");
    const notifier = githubNotifier(
      { api: github.url, repository: "shop/storefront", ref: "gone", token: "ghs_token" },
      wire,
    );
    github.answers.push({ status: 403, headers: { "retry-after": "60" } }, { status: 200, body: [] }, { status: 422 });
    expect(await notifier.deliver(notification!, never)).toEqual({
      kind: "later",
      reason: "it answered 403",
      afterSeconds: 60,
    });
    expect(await notifier.deliver(notification!, never)).toEqual({ kind: "refused", reason: "it answered 422" });
  });

  test("is configured completely or not at all, and a complaint names the field and not its value", () => {
    const complaintsOf = (given: object | string): readonly string[] => {
      const complaints: string[] = [];
      readNotifiers(typeof given === "string" ? given : JSON.stringify(given), complaints);
      return complaints;
    };
    expect(readNotifiers(undefined, [])).toEqual({});
    expect(complaintsOf({ webhookUrl: "https://x.example/secret-part" })).toEqual([
      "BALLAST_NOTIFY: webhookUrl and webhookSecret must be set together.",
    ]);
    expect(complaintsOf({ githubToken: "ghs_secret-part" })).toEqual([
      "BALLAST_NOTIFY: githubRepository and githubToken must be set together.",
    ]);
    expect(
      complaintsOf({
        slackUrl: "http://x.example/secret-part",
        githubRepository: "secret-part",
        slackURL: "https://secret-part",
      }),
    ).toEqual([
      expect.stringMatching(/^BALLAST_NOTIFY: the value has an unknown field "slackURL"/),
      "BALLAST_NOTIFY: slackUrl must be an https address.",
      "BALLAST_NOTIFY: githubRepository must be of the form owner/name.",
    ]);
    expect(complaintsOf("secret-part")).toEqual(["BALLAST_NOTIFY: the value must be an object."]);
    const all = {
      webhookUrl: "https://a.example/",
      webhookSecret: "a text of 24 bytes or more".replaceAll(" ", "-"),
      slackUrl: "https://b.example/",
      teamsUrl: "https://c.example/",
      githubRepository: "o/n",
      githubToken: "t",
    };
    expect(readNotifiers(JSON.stringify(all), [])).toEqual({
      webhook: { url: "https://a.example/", secret: "a-text-of-24-bytes-or-more" },
      slack: { url: "https://b.example/" },
      teams: { url: "https://c.example/" },
      github: { api: "https://api.github.com", repository: "o/n", ref: "main", token: "t" },
    });
  });
});
