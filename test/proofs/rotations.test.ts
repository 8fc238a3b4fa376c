// The short form of `npm run soak:rotations`: a whole rotation with real processes, from its first fact to its last,
// under ten clients and two kills. The long form draws fifty kills over twenty rotations. The role and its password are
// two secrets here; the demo has them in one URI.
import { expect, it } from "vitest";
import { runChild } from "../../toolchain/child.ts";

it("a rotation under SIGKILL fails no login, writes nothing twice, and leaves no password behind", {
  timeout: 1_200_000,
}, async () => {
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`rotations seed ${seed}\n`);
  const args = [
    "proofs/soak/rotations.ts",
    "--rotations",
    "1",
    "--kills",
    "2",
    "--form",
    "apart",
    "--seed",
    String(seed),
  ];
  const { code, output } = await runChild(process.execPath, args, { environment: { PATH: process.env["PATH"] } });
  expect(code, output).toBe(0);
  expect(output.match(/✂ SIGKILL/g)?.length, output).toBe(2);
  expect(output).toMatch(/demo1 ended as rotated/);
  const [, failed, logins] = /(\d+) of (\d+) logins failed\n/.exec(output) ?? [];
  expect(Number(failed)).toBe(0);
  expect(Number(logins)).toBeGreaterThan(200);
  expect(output).toMatch(/the app has database-a, database-a-user, database-b, database-b-user, each password/);
  expect(output).toMatch(/none of 4 passwords is in the logs of the control planes/);
  const [, requests, dependencies] = /their telemetry \((\d+) requests, (\d+) dependencies/.exec(output) ?? [];
  expect([Number(requests), Number(dependencies)]).toEqual([expect.any(Number), expect.any(Number)]);
  expect(Math.min(Number(requests), Number(dependencies))).toBeGreaterThan(0);
});
