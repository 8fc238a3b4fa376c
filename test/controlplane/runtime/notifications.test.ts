// What people outside are told of rollouts: which facts, that each arrives although receivers fail in every way, that nobody waits for them, and
// that no address and no key is ever said. The store is a real PostgreSQL, receivers are servers on loopback.
import { createHmac } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { fetchDispatcher } from "../../../connect-to.ts";
import { githubChannel } from "../../../controlplane/adapters/notifiers/github.ts";
import { slackChannel } from "../../../controlplane/adapters/notifiers/slack.ts";
import { teamsChannel } from "../../../controlplane/adapters/notifiers/teams.ts";
import { webhookChannel } from "../../../controlplane/adapters/notifiers/webhook.ts";
import { connectionOptions } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal, type PostgresJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import { openNotices } from "../../../controlplane/adapters/postgres/notifications.ts";
import { readChannels } from "../../../controlplane/read-notifiers.ts";
import { startNotifier } from "../../../controlplane/runtime/notify.ts";
import type { Channel, Notices } from "../../../controlplane/runtime/ports.ts";
import { noticesOf } from "../../../engines/rollout/notifications.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { type Receiver, startReceiver } from "../../support/controlplane/receiver.ts";
import { hostile, hostileFacts, scenarioFacts } from "../../support/controlplane/report-facts.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";

const eventsOf = (name: string): readonly RolloutEvent[] => scenarioFacts(name).map(({ event }) => event);
const rolledBack = eventsOf("aborts-when-failures-exceed-the-limit");
/** When the journals of the scenarios were written. */
const then = rolledBack[0]!.at + 600_000;
const stream = "rollout/shop/storefront/storefront--2";
const secretPart = "services/T000/secret-part";
const never = new AbortController().signal;
const wire = { dispatcher: fetchDispatcher(undefined) };

describe("notices", () => {
  const kinds = (events: readonly RolloutEvent[], from = 0) =>
    noticesOf(stream, events, from).map(({ kind, index }) => `${index} ${kind}`);

  test("are the beginning, each step, each hold and the end, and nothing else", () => {
    expect(kinds(rolledBack).map((line) => line.split(" ")[1])).toEqual([
      "started",
      "step-reached",
      "step-reached",
      "rolled-back",
    ]);
    expect(kinds(eventsOf("holds-while-stable-is-sick-then-promotes")).map((line) => line.split(" ")[1])).toContain(
      "held",
    );
    expect(kinds(eventsOf("promotes-when-every-step-passes")).map((line) => line.split(" ")[1])).toEqual([
      "started",
      "step-reached",
      "step-reached",
      "step-reached",
      "step-reached",
      "promoted",
    ]);
  });

  test("go on from any fact with the same ids, since the id is the fact's", () => {
    const all = noticesOf(stream, rolledBack, 0);
    for (let from = 0; from <= rolledBack.length; from++)
      expect(noticesOf(stream, rolledBack, from)).toEqual(all.filter(({ index }) => index >= from));
    expect(all.at(-1)!.id).toBe(`${stream}#${rolledBack.length - 1}`);
  });

  test("tell a step once, though its weights had to be put right", () => {
    const index = rolledBack.findIndex(({ kind }) => kind === "StepReached");
    const drifted: RolloutEvent = { kind: "TrafficDrifted", at: rolledBack[index]!.at, percent: 10, seenPercent: 80 };
    const again = [...rolledBack.slice(0, index + 1), drifted, ...rolledBack.slice(index - 2, index + 1)];
    expect(kinds(again)).toHaveLength(2);
  });
});

const postgres = postgresForTests();

describe("the notifier", () => {
  const open: { readonly close: () => Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });

  interface Bench {
    readonly journal: PostgresJournal;
    readonly notices: Notices;
    readonly logged: string[];
    readonly append: (to: string, events: readonly RolloutEvent[]) => Promise<void>;
    readonly start: (channels: readonly Channel[], now?: number) => Promise<{ readonly close: () => Promise<void> }>;
  }

  async function bench(): Promise<Bench> {
    const database = await postgres.fresh();
    const pool = postgres.pool(database);
    const logged: string[] = [];
    await migrate(pool);
    const journal = openJournal(pool, connectionOptions(database), () => {});
    const notices = openNotices(pool);
    open.push(journal);
    return {
      journal,
      notices,
      logged,
      append: async (to, events) => {
        expect(await journal.append(to, await journal.read(to), events, { process: "p1" })).toBe("appended");
      },
      start: async (channels, now = then) => {
        const notifier = startNotifier({
          journal,
          notices,
          channels,
          now: () => now,
          log: (sentence) => logged.push(sentence),
          lookSeconds: 0.05,
        });
        open.push(notifier);
        // What is written before a channel is known is no news to it.
        await eventually(
          async () =>
            (
              await pool.query("select 1 from ballast.notices where stream = '' and channel = any($1)", [
                channels.map(({ name }) => name),
              ])
            ).rowCount === channels.length,
          "the channels to be known",
        );
        return notifier;
      },
    };
  }
  const receiver = async (): Promise<Receiver> => {
    const started = await startReceiver(secretPart);
    open.push({ close: async () => started[Symbol.asyncDispose]() });
    return started;
  };
  const webhook = ({ url }: Receiver, patienceSeconds = 10) =>
    webhookChannel({ url, secret: "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw==" }, { ...wire, patienceSeconds });
  const typesOf = ({ received }: Receiver) => received.map(({ body }) => body.type);
  const whole = ["rollout.started", "rollout.step-reached", "rollout.step-reached", "rollout.rolled-back"];
  const has = (outside: Receiver, count: number) =>
    eventually(
      () => outside.received.length >= count,
      `${count} notices, of which came ${outside.received.length}`,
      40,
    );

  test("tells a webhook every notice once and in order, signed as receivers' libraries check it", async () => {
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
        `v1,${createHmac("sha256", "secret of the tests").update(signed).digest("base64")}`,
      );
      expect(decodeURIComponent(String(headers["idempotency-key"]))).toBe(body.data.id);
    }
    const { sentence } = rolledBack.at(-1) as { readonly sentence: string };
    expect(outside.received.at(-1)!.body.data).toEqual({
      id: `${stream}#${rolledBack.length - 1}`,
      resourceGroup: "shop",
      app: "storefront",
      revision: "storefront--2",
      release: "r2",
      sentence,
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
    const told = [...new Set(ids)];
    expect(told).toEqual(noticesOf(stream, rolledBack, 0).map(({ id }) => id));
    expect(ids).toEqual(ids.toSorted((one, other) => told.indexOf(one) - told.indexOf(other)));
    expect(logged.join("\n")).toMatch(
      /webhook was not told of rollout\/shop\/storefront\/storefront--2#\d+, and is tried again: it cannot be reached \(ECONNREFUSED\)/,
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

  test("passes over what a receiver will never take, says so, and goes on", async () => {
    const { append, start, logged } = await bench();
    const outside = await receiver();
    outside.answers.push({ status: 400 });
    await start([webhook(outside)]);
    await append(stream, rolledBack);
    await has(outside, 4);
    expect(typesOf(outside)).toEqual(whole);
    expect(logged).toEqual([expect.stringMatching(/^webhook is never told of .*: it answered 400$/)]);
  });

  test("two replicas tell each notice once, and one that dies in the middle is taken over", async () => {
    const { append, start, notices } = await bench();
    const outside = await receiver();
    const replicas = await Promise.all([start([webhook(outside)]), start([webhook(outside)])]);
    for (let n = 1; n <= 5; n++) await append(`rollout/shop/app${n}/app${n}--2`, rolledBack);
    await has(outside, 20);
    await Promise.all(replicas.map((replica) => replica.close()));
    expect(new Set(outside.received.map(({ body }) => body.data.id)).size).toBe(20);
    expect(outside.received).toHaveLength(20);
    await append(stream, rolledBack);
    expect(await notices.borrow("webhook", 0.5)).toEqual({ stream, told: 0, failures: 0 }); // and dies
    expect(await notices.borrow("webhook", 0.5)).toBeUndefined();
    await start([webhook(outside)]);
    await has(outside, 24);
    expect(typesOf(outside).slice(20)).toEqual(whole);
  });

  test("a channel that does not answer keeps no other waiting, and none is told of what was before it", async () => {
    const { append, start } = await bench();
    const deaf = await receiver();
    const outside = await receiver();
    await append("rollout/shop/old/old--2", rolledBack);
    deaf.respond = () => "hang";
    await start([
      webhookChannel({ url: deaf.url, secret: "x" }, { ...wire, patienceSeconds: 30 }),
      slackChannel({ url: outside.url }, wire),
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

  test("what nobody took for a day is no news any more", async () => {
    const { append, start, logged } = await bench();
    const outside = await receiver();
    await start([webhook(outside)], then + 25 * 3_600_000);
    await append(stream, rolledBack);
    await eventually(() => logged.length === 4, "four notices that are given up");
    expect(outside.received).toEqual([]);
  });

  test("says no address and no key, neither in a log nor in its store, however a receiver fails", async () => {
    const { append, start, logged } = await bench();
    const outside = await receiver();
    outside.answers.push({ status: 500, body: { error: secretPart } }, { status: 400 }, "hang");
    await start([
      webhook(outside, 0.3),
      slackChannel({ url: `${outside.url}/slack` }, { ...wire, patienceSeconds: 0.3 }),
    ]);
    await append(stream, rolledBack);
    await has(outside, 9);
    await outside.stop();
    await append("rollout/shop/api/api--2", rolledBack);
    await eventually(() => logged.some((line) => line.includes("ECONNREFUSED")), "a failure to connect");
    expect(logged.join("\n")).not.toMatch(/secret|127\.0\.0\.1|whsec|T000/);
  });
});

describe("a channel", () => {
  const hostileNotice = noticesOf(
    stream,
    hostileFacts().map(({ event }) => event),
    0,
  ).at(-1)!;
  const [notice] = noticesOf(stream, rolledBack, 0);

  test("of Slack gets text that calls nobody and links nowhere", async () => {
    await using outside = await startReceiver(secretPart);
    expect(
      await slackChannel({ url: outside.url }, wire).tell(
        { ...hostileNotice, sentence: `${hostile} <!channel> <https://x.example|safe>` },
        never,
      ),
    ).toEqual({ kind: "told" });
    expect(outside.received[0]!.text).not.toMatch(/<|>/);
    expect(outside.received[0]!.body.text).toContain("&lt;!channel&gt;");
  });

  test("of Teams gets an Adaptive Card whose texts are runs, which are no Markdown", async () => {
    await using outside = await startReceiver(secretPart);
    const sentence = "[safe](https://x.example) **bold**";
    await teamsChannel({ url: outside.url }, wire).tell({ ...hostileNotice, sentence }, never);
    const [{ contentType, content }] = outside.received[0]!.body.attachments;
    expect(contentType).toBe("application/vnd.microsoft.card.adaptive");
    expect(content.body.map(({ type, inlines: [run] }: any) => [type, run.type])).toEqual(
      content.body.map(() => ["RichTextBlock", "TextRun"]),
    );
    expect(content.body[1].inlines[0].text).toBe(sentence);
  });

  test("of GitHub has one deployment a rollout and a status a notice, however often one is told", async () => {
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
    const channel = githubChannel(
      { api: github.url, repository: "shop/storefront", ref: "main", token: "ghs_token" },
      wire,
    );
    for (const each of [...noticesOf(stream, rolledBack, 0), ...noticesOf(stream, rolledBack, 0).slice(-1)])
      expect(await channel.tell(each, never)).toEqual({ kind: "told" });
    await channel.tell({ ...notice!, id: "rollout/shop/storefront/storefront--3#2" }, never);
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

  test("of GitHub that refuses is asked again, and one that knows no such branch is not", async () => {
    await using github = await startReceiver("api");
    const channel = githubChannel(
      { api: github.url, repository: "shop/storefront", ref: "gone", token: "ghs_token" },
      wire,
    );
    github.answers.push({ status: 403, headers: { "retry-after": "60" } }, { status: 200, body: [] }, { status: 422 });
    expect(await channel.tell(notice!, never)).toEqual({ kind: "later", reason: "it answered 403", afterSeconds: 60 });
    expect(await channel.tell(notice!, never)).toEqual({ kind: "refused", reason: "it answered 422" });
  });

  test("is set up wholly or not at all, and a complaint names the field and not what is in it", () => {
    const complaintsOf = (given: object | string): readonly string[] => {
      const complaints: string[] = [];
      readChannels(typeof given === "string" ? given : JSON.stringify(given), complaints);
      return complaints;
    };
    expect(readChannels(undefined, [])).toEqual({});
    expect(complaintsOf({ webhookUrl: "https://x.example/secret-part" })).toEqual([
      "BALLAST_NOTIFY: webhookUrl and webhookSecret go together.",
    ]);
    expect(complaintsOf({ githubToken: "ghs_secret-part" })).toEqual([
      "BALLAST_NOTIFY: githubRepository and githubToken go together.",
    ]);
    expect(
      complaintsOf({
        slackUrl: "http://x.example/secret-part",
        githubRepository: "secret-part",
        slackURL: "https://secret-part",
      }),
    ).toEqual([
      expect.stringMatching(/^BALLAST_NOTIFY: what was sent has a field "slackURL" that is not known/),
      "BALLAST_NOTIFY: slackUrl is not an https address.",
      "BALLAST_NOTIFY: githubRepository is not of the form owner/name.",
    ]);
    expect(complaintsOf("secret-part")).toEqual(["BALLAST_NOTIFY: what was sent is not an object."]);
    const all = {
      webhookUrl: "https://a.example/",
      webhookSecret: "s",
      slackUrl: "https://b.example/",
      teamsUrl: "https://c.example/",
      githubRepository: "o/n",
      githubToken: "t",
    };
    expect(readChannels(JSON.stringify(all), [])).toEqual({
      webhook: { url: "https://a.example/", secret: "s" },
      slack: { url: "https://b.example/" },
      teams: { url: "https://c.example/" },
      github: { api: "https://api.github.com", repository: "o/n", ref: "main", token: "t" },
    });
  });
});
