// A refresh through the provider's protocol: it compares a state with itself, and says only what others changed.
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import { expect, test } from "vitest";
import { startFakeControlPlane, token } from "../support/controlplane/fake-control-plane.ts";
import { checked, create, startProvider, struct, urn } from "../support/program/provider-process.ts";
import { releaseInputs } from "../support/program/release-inputs.ts";

test("a refresh after a promotion says nothing, though another revision served when the release began", async () => {
  await using provider = await startProvider({ BALLAST_TOKEN: token });
  const plane = await startFakeControlPlane();
  try {
    const inputs = releaseInputs(plane.endpoint, { serving: "r0" });
    const state = await checked(provider, inputs);
    const outputs = await create(provider, state);
    const differs = async (news: Readonly<Record<string, unknown>>): Promise<readonly string[]> => {
      const request = new providerProto.DiffRequest()
        .setUrn(urn)
        .setOldInputs(struct(state))
        .setOlds(struct(outputs))
        .setNews(struct(news));
      return (await provider.call<unknown, providerProto.DiffResponse>("diff", request)).getDiffsList();
    };
    expect(await differs(state)).toEqual([]);
    expect(await differs(await checked(provider, inputs, state)), "the same, of a program").toEqual(["serving"]);
  } finally {
    await plane.stop();
  }
});
