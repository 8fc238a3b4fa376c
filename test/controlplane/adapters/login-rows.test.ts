// Lines of the server's log as readers of a role: who they are, which of them count, and up to when the log is known.
import { expect, it } from "vitest";
import { readersOf } from "../../../controlplane/adapters/azure/login-rows.ts";
import { scenarioOf } from "../../support/worlds/rotation-scenario.ts";

const { credential } = scenarioOf("replaces-a-version-that-is-due");
const line = (at: number, session: string, words: string, level = "LOG", code = "00000") => ({
  at,
  message: `2026-01-05 09:00:00 UTC-${session}-${level}:  ${words}`,
  code,
});
const received = (at: number, session: string, host: string) =>
  line(at, session, `connection received: host=${host} port=5000`);
const authorized = (at: number, session: string, user: string, application = "") =>
  line(
    at,
    session,
    `connection authorized: user=${user} database=shop${application && ` application_name=${application}`} ` +
      "SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)",
  );
const read = (...lines: Parameters<typeof readersOf>[0][number][]) => readersOf(lines, credential, "shop_a", 100);

it("names a reader by its application, or else by its address, with its last login", () =>
  expect(
    read(
      received(110, "6a.1", "10.0.0.4"),
      authorized(111, "6a.1", "shop_a", "nightly export"),
      received(120, "6a.2", "10.0.0.5"),
      authorized(121, "6a.2", "shop_a"),
      authorized(130, "6a.3", "shop_a", "nightly export"),
    ).logins,
  ).toEqual([
    { who: "nightly export", at: 130, refused: false },
    { who: "10.0.0.5", at: 121, refused: false },
  ]));

it("counts a refusal only if the role may not log in, and names the address", () =>
  expect(
    read(
      received(110, "6a.1", "10.0.0.4"),
      line(111, "6a.1", 'role "shop_a" is not permitted to log in', "FATAL", "28000"),
      line(112, "6a.2", 'no pg_hba.conf entry for host "10.0.0.9", user "shop_a"', "FATAL", "28000"),
      line(113, "6a.3", 'role "shop_b" is not permitted to log in', "FATAL", "28000"),
    ).logins,
  ).toEqual([{ who: "10.0.0.4", at: 111, refused: true }]));

it("leaves out other roles and the rotation's own proof of the role", () =>
  expect(
    read(
      authorized(111, "6a.1", "shop_ab"),
      authorized(112, "6a.2", "shop_b"),
      authorized(113, "6a.3", "shop_a", "ballast"),
    ).logins,
  ).toEqual([]));

it("is complete up to the rotator's last login, and proves nothing without one", () => {
  expect(read(authorized(150, "6a.1", credential.rotator, "ballast"))).toEqual({ logins: [], to: 150, alive: true });
  expect(read(authorized(150, "6a.1", "shop_a", "x"))).toMatchObject({ to: 100, alive: false });
});

it("keeps the latest twenty readers", () => {
  const lines = Array.from({ length: 30 }, (_, index) =>
    authorized(200 + index, `6a.${index}`, "shop_a", `job-${index}`),
  );
  const { logins } = read(...lines);
  expect([logins.length, logins[0]?.who, logins.at(-1)?.who]).toEqual([20, "job-29", "job-10"]);
});
