// What the ingress of an app does beside choosing a revision: callers by address, cross-origin requests, TCP and
// additional ports, and the replicas that an HTTP rule starts.
import { once } from "node:events";
import net from "node:net";
import { expect, test } from "vitest";
import { reservePort } from "../../../emulator/app/ports.ts";
import type { Body } from "../../../emulator/arm/resource.ts";
import {
  type Answer,
  type ContainerCloud,
  containerCloud,
  domain,
  eventually,
} from "../../support/emulator/container-cloud.ts";
import { clock } from "../../support/emulator/quirk-cloud.ts";

const folder = new URL("../../support/emulator/", import.meta.url).pathname;
const images = { moody: { folder, entry: "moody.mjs" }, box: { folder, entry: "container.mjs" } };
const host = `shop.${domain}`;
const start = (now?: () => number): Promise<ContainerCloud> => containerCloud(images, now);

const appOf = (ingress: Body, template: Body = {}, container: Body = {}): Body => ({
  configuration: { activeRevisionsMode: "Single", ingress: { external: true, targetPort: 8080, ...ingress } },
  template: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: "app",
        image: "registry.example/moody:1",
        probes: ["Startup", "Readiness"].map((type) => ({ type, tcpSocket: { port: 8080 }, periodSeconds: 1 })),
        ...container,
      },
    ],
    scale: { minReplicas: 1, maxReplicas: 3 },
    ...template,
  },
});

async function serving(c: ContainerCloud, properties: Body, name = "shop"): Promise<void> {
  const { latestRevisionName } = (await c.apply(name, properties))["properties"];
  await eventually(
    () => c.revision(name, latestRevisionName),
    ({ healthState }) => healthState === "Healthy",
  );
}

const rule = (ipAddressRange: string, action: string): Body => ({ name: "a", ipAddressRange, action });

test("rules that allow admit only the named addresses, and rules that deny all others", async () => {
  await using c = await start();
  c.wireLogs();
  const seen = async (rules: readonly Body[]): Promise<readonly (string | number)[]> => {
    await serving(c, appOf({ ipSecurityRestrictions: rules }));
    const answers = await Promise.all(
      ["127.0.0.1", "127.0.0.2"].map((localAddress) => c.request(host, "/", { localAddress })),
    );
    return answers.map(({ status, text }) => (status === 403 ? text : status));
  };
  const denied = "RBAC: access denied";
  expect(await seen([rule("127.0.0.2/32", "Allow")])).toEqual([denied, 200]);
  expect(await seen([rule("127.0.0.2", "Deny")])).toEqual([200, denied]);
  expect(await seen([rule("203.0.113.0/24", "Allow")])).toEqual([denied, denied]);
  expect(await seen([])).toEqual([200, 200]);
  const { rows } = await c.emulator("GET", "rows");
  const refused = { RevisionName: "", ResponseCodeDetails: "rbac_access_denied_matched_policy[none]" };
  expect(rows.filter(({ StatusCode }: Body) => StatusCode === 403)).toMatchObject([1, 2, 3, 4].map(() => refused));
});

const cors = {
  corsPolicy: {
    allowedOrigins: ["https://shop.example", "https://*.trusted.example"],
    allowedMethods: ["GET", "PUT"],
    allowedHeaders: ["x-mine"],
    exposeHeaders: ["x-yours"],
    maxAge: 60,
    allowCredentials: true,
  },
};
const preflight = (c: ContainerCloud, origin: string, more: Body = {}): Promise<Answer> =>
  c.request(host, "/echo", {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "PUT", ...more },
  });

test("a preflight of an allowed origin is answered by the ingress, and any other reaches the container", async () => {
  await using c = await start();
  await serving(c, appOf(cors));
  const { status, headers, text } = await preflight(c, "https://shop.example");
  expect([status, text]).toEqual([200, ""]);
  expect(headers).toMatchObject({
    "access-control-allow-origin": "https://shop.example",
    "access-control-allow-methods": "GET,PUT",
    "access-control-allow-headers": "x-mine",
    "access-control-allow-credentials": "true",
    "access-control-max-age": "60",
  });
  expect((await preflight(c, "https://a.trusted.example")).text).toBe("");
  const other = await preflight(c, "https://evil.example");
  expect([JSON.parse(other.text).method, other.headers["access-control-allow-origin"]]).toEqual(["OPTIONS", undefined]);
  const plain = await c.request(host, "/echo", { method: "OPTIONS", headers: { origin: "https://shop.example" } });
  expect(JSON.parse(plain.text).method).toBe("OPTIONS");
});

test("an answer to an allowed origin has the policy's headers, and to any other it has none", async () => {
  await using c = await start();
  await serving(c, appOf(cors));
  const from = async (headers: Record<string, string>): Promise<readonly unknown[]> => {
    const answer = await c.request(host, "/echo", { headers });
    return ["allow-origin", "allow-credentials", "expose-headers"].map(
      (name) => answer.headers[`access-control-${name}`],
    );
  };
  expect(await from({ origin: "https://shop.example" })).toEqual(["https://shop.example", "true", "x-yours"]);
  expect(await from({ origin: "https://evil.example" })).toEqual([undefined, undefined, undefined]);
  expect(await from({})).toEqual([undefined, undefined, undefined]);
  await c.apply("shop", { configuration: { ingress: { corsPolicy: null } } }, { merge: true });
  expect(await from({ origin: "https://shop.example" })).toEqual([undefined, undefined, undefined]);
});

/** Sends a text over TCP and gives the answer; a text for a connection that could not be made or used. */
function over(port: number, text: string): Promise<string> {
  const socket = net.connect({ host: "127.0.0.1", port });
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    answer = error.code ?? "";
  });
  socket.write(text);
  return new Promise((resolve) => socket.once("close", () => resolve(answer)));
}
const http10 = "GET / HTTP/1.0\r\n\r\n";

test("a TCP ingress is a port of its own, and has no HTTP host", async () => {
  await using c = await start();
  const [exposedPort, other] = [await reservePort(), await reservePort()];
  const tcp = (port: number): Body => ({ external: false, transport: "tcp", exposedPort: port });
  const box = { image: "registry.example/box:1" };
  await serving(c, appOf(tcp(exposedPort), {}, box));
  expect(await over(exposedPort, http10)).toContain('"CONTAINER_APP_NAME":"shop"');
  expect((await c.request(`shop.internal.${domain}`)).status).toBe(404);
  await serving(c, appOf(tcp(other), {}, box));
  expect([await over(exposedPort, http10), await over(other, http10)]).toEqual([
    "ECONNREFUSED",
    expect.stringContaining("200 OK"),
  ]);
});

test("TCP connections are shared by weight and follow a shift of the traffic", async () => {
  await using c = await start();
  const exposedPort = await reservePort();
  const properties = (suffix: string): Body => {
    const app = appOf(
      { external: false, transport: "tcp", exposedPort },
      { revisionSuffix: suffix },
      { image: "registry.example/box:1", env: [{ name: "WHO", value: suffix }] },
    );
    app["configuration"].activeRevisionsMode = "Multiple";
    return app;
  };
  await serving(c, properties("one"));
  await serving(c, properties("two"));
  const shift = (one: number) =>
    c.apply(
      "shop",
      {
        configuration: {
          ingress: {
            traffic: [
              { revisionName: "shop--one", weight: one },
              { revisionName: "shop--two", weight: 100 - one },
            ],
          },
        },
      },
      { merge: true },
    );
  const who = async (): Promise<string> => /"WHO":"(\w+)"/.exec(await over(exposedPort, http10))![1]!;
  await shift(50);
  const both = await Promise.all(Array.from({ length: 20 }, who));
  expect(new Set(both)).toEqual(new Set(["one", "two"]));
  await shift(0);
  expect(await Promise.all(Array.from({ length: 5 }, who))).toEqual(Array.from({ length: 5 }, () => "two"));
});

test("additional ports lead to other ports of the replica, and end with the app", async () => {
  await using c = await start();
  const exposedPort = await reservePort();
  const box = { image: "registry.example/box:1" };
  const side = { name: "side", env: [{ name: "PORT", value: "9000" }], resources: { cpu: 0.5, memory: "1Gi" }, ...box };
  const properties = appOf({ additionalPortMappings: [{ external: false, targetPort: 9000, exposedPort }] }, {}, box);
  properties["template"].containers.push(side);
  await serving(c, properties);
  const { env } = JSON.parse((await c.request(host)).text);
  const more = (): Promise<string> => over(exposedPort, http10);
  await expect.poll(more, { timeout: 10_000 }).toContain(`"PORT":"${env.PORT_9000}"`);
  await c.apply("shop", { configuration: { ingress: { additionalPortMappings: [] } } }, { merge: true });
  expect(await over(exposedPort, http10)).toBe("ECONNREFUSED");
});

test("a port that the machine uses fails the operation, and says so", async () => {
  await using c = await start();
  const taken = net.createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port: exposedPort } = taken.address() as net.AddressInfo;
  const { operation } = await c.put("shop", appOf({ external: false, transport: "tcp", exposedPort }));
  expect(await operation).toMatchObject({
    code: "EmulatorPortTaken",
    message: expect.stringContaining(`${exposedPort}`),
  });
  taken.close();
});

test("a port that another app of the environment exposes is refused", async () => {
  await using c = await start();
  const exposedPort = await reservePort();
  const tcp = appOf({ external: false, transport: "tcp", exposedPort }, {}, { image: "registry.example/box:1" });
  await serving(c, tcp);
  await expect(c.put("other", tcp)).rejects.toMatchObject({ code: "EmulatorUnsupported", message: /already exposed/ });
});

const byLoad = (concurrentRequests: string, maxReplicas: number): Body => ({
  scale: { minReplicas: 1, maxReplicas, rules: [{ name: "http", http: { metadata: { concurrentRequests } } }] },
});

test("an HTTP rule starts replicas for the requests in progress, up to the maximum, and ends them later", async () => {
  const time = clock();
  await using c = await start(time.now);
  await serving(c, appOf({}, byLoad("2", 3)));
  const name = c.app("shop")["properties"].latestRevisionName;
  const replicas = async (): Promise<number> => (await c.revision("shop", name))["replicas"];
  const hold = (count: number) => Array.from({ length: count }, () => c.request(host, "/silence").catch(() => "cut"));
  const three = hold(3);
  await eventually(replicas, (count) => count === 2);
  const many = hold(20);
  await eventually(replicas, (count) => count === 3);
  expect(await c.revision("shop", name)).toMatchObject({ runningState: expect.stringMatching(/Running/) });
  await c.emulator("POST", "kill", { app: "shop", signal: "SIGKILL" });
  await Promise.all([...three, ...many]);
  await eventually(
    async () => ((await c.emulator("GET", "processes")).processes as Body[]).filter((each) => each["ready"]).length,
    (ready) => ready === 3,
  );
  time.skip(200);
  expect(await replicas()).toBe(3);
  time.skip(200);
  await eventually(replicas, (count) => count === 1);
});

test("without an HTTP rule the number of replicas is the minimum, whatever the load", async () => {
  await using c = await start();
  await serving(c, appOf({}, { scale: { minReplicas: 1, maxReplicas: 3 } }));
  const held = Array.from({ length: 30 }, () => c.request(host, "/silence").catch(() => "cut"));
  const look = async (): Promise<number> => (await c.emulator("GET", "processes")).processes.length;
  await eventually(
    () => c.request(host, "/live"),
    ({ status }) => status === 200,
  );
  expect(await look()).toBe(1);
  await c.emulator("POST", "kill", { app: "shop", signal: "SIGKILL" });
  await Promise.all(held);
});
