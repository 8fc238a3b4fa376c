// The calls about a pause of all remediations, over a store in memory: who, why and until when, and what is refused.
import { expect, test } from "vitest";
import { servicesForTests } from "../../support/controlplane/service.ts";
import { memoryPauses } from "../../support/worlds/memory-pauses.ts";

const { service, token } = servicesForTests();
const now = Date.parse("2026-01-05T09:00:00Z");

test("a pause has who, why and an end, is replaced by the next one, and ends early", async () => {
  const { call } = service({ pauses: memoryPauses(() => now) });
  expect((await call("GET", "/remediations/pause")).body).toEqual({ paused: null });
  const begun = await call("POST", "/remediations/pause", { message: "migration", seconds: 7200 });
  const paused = { by: expect.stringMatching(/./), message: "migration", until: now + 7_200_000 };
  expect(begun).toMatchObject({ status: 200, body: { paused } });
  expect((await call("GET", "/remediations/pause")).body).toEqual({ paused });
  await call("POST", "/remediations/pause", { message: "longer", seconds: 9000 });
  expect((await call("GET", "/remediations/pause")).body.paused).toMatchObject({ message: "longer" });
  expect((await call("POST", "/remediations/resume", { message: "done" })).body).toEqual({ wasPaused: true });
  expect((await call("POST", "/remediations/resume", { message: "done" })).body).toEqual({ wasPaused: false });
  expect((await call("GET", "/remediations/pause")).body).toEqual({ paused: null });
});

test.each([
  ["pause", { seconds: 60 }],
  ["pause", { message: "no end" }],
  ["pause", { message: "", seconds: 60 }],
  ["pause", { message: "too long", seconds: 2_592_001 }],
  ["pause", { message: "no time", seconds: 0 }],
  ["resume", {}],
])("%s is refused with %j", async (what, body) => {
  const pauses = memoryPauses(() => now);
  const { call } = service({ pauses });
  expect(await call("POST", `/remediations/${what}`, body)).toMatchObject({
    status: 400,
    body: { error: { id: "call-malformed" } },
  });
  expect(await pauses.current()).toBeNull();
});

test("whoever may only read neither pauses nor resumes", async () => {
  const pauses = memoryPauses(() => now);
  const { call } = service({ pauses });
  const reader = await token({ roles: ["Rollout.Read"] });
  const bodies = { pause: { message: "x", seconds: 60 }, resume: { message: "x" } };
  for (const [what, body] of Object.entries(bodies))
    expect((await call("POST", `/remediations/${what}`, body, reader)).status).toBe(403);
  expect((await call("GET", "/remediations/pause", undefined, reader)).status).toBe(200);
  expect(await pauses.current()).toBeNull();
});
