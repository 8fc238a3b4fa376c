// What a probe sends stands in states and in the journal, so no part of it may be a secret by its name or its form.
import { expect, test } from "vitest";
import { read } from "../../../engines/form.ts";
import { probePathForm, probeRequestForm } from "../../../engines/rollout/probe-request.ts";

const header = (name: string, value = "x") => read(probeRequestForm, { headers: [{ name, value }] });
const path = (given: string) => read(probePathForm, given);
const refused = "would put a secret into the journal";

test.each([
  ["the header Cookie", () => header("Cookie")],
  ["the header x-functions-key", () => header("x-functions-key")],
  ["the header X-Auth", () => header("X-Auth")],
  ["the header X-Admin-Key", () => header("X-Admin-Key")],
  ["the header X-Credentials", () => header("X-Credentials")],
  ["a header of any name with a bearer's token", () => header("X-Probe", "bearer x")],
  ["a header of any name with a user's password", () => header("X-Probe", "Basic dTpw")],
  ["the parameter code", () => path("/?code=x")],
  ["the parameter sig after another", () => path("/ready?a=1&sig=x")],
  ["the parameter sig that is written otherwise", () => path("/ready?s%69g=x")],
  ["the parameter access_token before a fragment", () => path("/ready?access_token=x#end")],
  ["the parameter api-key without a value", () => path("/?a=?&api-key")],
])("refuses %s, and repeats no value", (_what, reading) => {
  expect(reading()).toMatchObject({ complaints: [expect.stringContaining(refused)] });
});

test.each([
  ["a header of one's own", () => header("X-Probe", "canary")],
  ["a key that opens nothing", () => header("Idempotency-Key")],
  ["a path without a query", () => path("/healthz")],
  ["a query without a secret", () => path("/ready?deep=1&codes=2")],
  ["an escape that is none", () => path("/ready?%zz=1")],
])("accepts %s", (_what, reading) => expect(reading()).toHaveProperty("value"));

test("reads a stored path as it was written", () => {
  expect(read(probePathForm, "/?code=x", "stored")).toEqual({ value: "/?code=x" });
});
