// A state whose endpoint or audience was changed: no call that only the state directs sends a token anywhere.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FakeControlPlane, startFakeControlPlane, token } from "../support/controlplane/fake-control-plane.ts";
import {
  checked,
  create,
  type ProviderProcess,
  startProvider,
  struct,
  urn,
} from "../support/program/provider-process.ts";
import { goodFacts, releaseInputs } from "../support/program/release-inputs.ts";

let plane: FakeControlPlane;
let provider: ProviderProcess;

beforeAll(async () => {
  provider = await startProvider({ BALLAST_TOKEN: token });
  plane = await startFakeControlPlane();
});
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
  await plane.stop();
});

test.each(["endpoint", "audience"])(
  "an %s that was changed in the state receives no token, by no call",
  async (field) => {
    const attacker = createServer((request, response) => {
      heard.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    }).listen(0, "127.0.0.1");
    const heard: string[] = [];
    await once(attacker, "listening");
    const changed = {
      endpoint: `http://127.0.0.1:${(attacker.address() as AddressInfo).port}`,
      audience: "api://another",
    }[field];
    plane.scripts.set("one", { facts: goodFacts, pausesAt: 3, result: "promoted", message: "promoted" });
    const made = await create(provider, releaseInputs(plane.endpoint, { wait: false }));
    const inputs = struct({ ...(await checked(provider, releaseInputs(plane.endpoint))), [field]: changed });
    const outputs = struct({ ...made, [field]: changed });
    const askedBefore = plane.asked.length;
    const read = new providerProto.ReadRequest().setUrn(urn).setId("rg/storefront").setInputs(inputs);
    const found = await provider.call<unknown, providerProto.ReadResponse>("read", read.setProperties(outputs));
    expect(found.getProperties()!.toJavaScript()).toMatchObject({ result: "in-flight" });
    const removal = new providerProto.DeleteRequest().setUrn(urn).setId("rg/storefront").setOldInputs(inputs);
    await provider.call("delete", removal.setProperties(outputs));
    expect(provider.logged.slice(-2)).toEqual([
      expect.stringContaining("No token was sent there. (release-endpoint-unbound)"),
      expect.stringMatching(/No token was sent there. \(release-endpoint-unbound\) .*the deletion continues/),
    ]);
    expect([heard, plane.asked.length]).toEqual([[], askedBefore]);
    // A change of the inputs alone leaves the pair of the outputs, which still belongs together.
    const stillGood = await provider.call<unknown, providerProto.ReadResponse>(
      "read",
      read.setProperties(struct(made)),
    );
    expect(stillGood.getProperties()!.toJavaScript()).toMatchObject({ result: "in-flight" });
    expect([heard, plane.asked.length > askedBefore]).toEqual([[], true]);
    attacker.close();
  },
);
