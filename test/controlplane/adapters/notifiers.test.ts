// What notifiers refuse: a signing key that anyone can guess, and an answer without end. The tests of
// notifications show what they send.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { fetchDispatcher } from "../../../connect-to.ts";
import { githubNotifier } from "../../../controlplane/adapters/notifiers/github.ts";
import { slackNotifier } from "../../../controlplane/adapters/notifiers/slack.ts";
import { teamsNotifier } from "../../../controlplane/adapters/notifiers/teams.ts";
import { webhookNotifier } from "../../../controlplane/adapters/notifiers/webhook.ts";
import { readNotifiers } from "../../../controlplane/read-notifiers.ts";
import type { Notification } from "../../../engines/kind.ts";
import { startReceiver } from "../../support/controlplane/receiver.ts";

const never = new AbortController().signal;
const wire = { dispatcher: fetchDispatcher(undefined) };
const notification: Notification = {
  id: "rollout/shop/api/api--2#0",
  index: 0,
  kind: "started",
  tone: "progress",
  at: 0,
  subject: "api",
  item: "api--2",
  place: "shop",
  message: "smoke test at weight 0",
  data: {},
};

describe("a notifier", () => {
  test.each([
    "whsec_",
    "whsec_====",
    "whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
    `whsec_${Buffer.alloc(23).toString("base64")}`,
    `whsec_${Buffer.alloc(32).toString("base64").replace("A", "*")}`,
    `whsec_${Buffer.alloc(24).toString("base64")}`,
    " ".repeat(24),
    "\0".repeat(40),
    " \t\r\n".repeat(10),
    "short",
  ])("with the signing key %j is refused, before anything is sent", (secret) => {
    const complaints: string[] = [];
    readNotifiers(JSON.stringify({ webhookUrl: "https://a.example/", webhookSecret: secret }), complaints);
    expect(complaints).toEqual([expect.stringMatching(/^BALLAST_NOTIFY: webhookSecret must be whsec_ and a key/)]);
    expect(() => webhookNotifier({ url: "https://a.example/", secret }, wire)).toThrow("24 bytes or more");
  });

  test.each([200, 500])("reads no endless answer of status %i to its end", async (status) => {
    let sent = 0;
    const chunk = Buffer.alloc(1 << 20, 120);
    const endless = createServer((_request, response) => {
      response.writeHead(status);
      const more = () => {
        while (!response.destroyed && response.write(chunk)) sent++;
      };
      response.on("drain", more);
      more();
    }).listen(0, "127.0.0.1");
    await once(endless, "listening");
    const url = `http://127.0.0.1:${(endless.address() as AddressInfo).port}/`;
    const secret = "the-signing-key-of-the-tests";
    const began = performance.now();
    for (const notifier of [
      webhookNotifier({ url, secret }, wire),
      slackNotifier({ url }, wire),
      teamsNotifier({ url }, wire),
      githubNotifier({ api: url.slice(0, -1), repository: "shop/storefront", ref: "main", token: "t" }, wire),
    ]) {
      const { kind } = await notifier.deliver(notification, never);
      expect([notifier.name, kind]).toEqual([
        notifier.name,
        status === 200 && notifier.name !== "github" ? "delivered" : "later",
      ]);
    }
    expect(performance.now() - began).toBeLessThan(8_000);
    expect(sent).toBeLessThan(100);
    endless.closeAllConnections();
    endless.close();
  });

  test.each([`whsec_${Buffer.alloc(24, 7).toString("base64")}`, "any text of 24 bytes or more, ä"])(
    "signs with the key %j so that the library of a receiver accepts it, and no other body",
    async (secret) => {
      await using outside = await startReceiver("hook");
      await webhookNotifier({ url: outside.url, secret }, wire).deliver(notification, never);
      const [{ headers, text }] = outside.received as [(typeof outside.received)[number]];
      const receiver = secret.startsWith("whsec_")
        ? new Webhook(secret)
        : new Webhook(Buffer.from(secret), { format: "raw" });
      expect(receiver.verify(text, headers as Record<string, string>)).toMatchObject({ type: "rollout.started" });
      expect(() => receiver.verify(`${text} `, headers as Record<string, string>)).toThrow();
    },
  );
});
