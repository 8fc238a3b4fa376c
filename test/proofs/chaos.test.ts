// The short form of the chaos run. What it does to the durable world, and which laws must hold all the same, is in chaos/.
import { expect, test } from "vitest";
import { runChild } from "../../toolchain/child.ts";

test("whatever is killed, put to sleep, cut, refused or moved by hand, every release ends as it deserves and nobody but a bad canary fails a user", {
  timeout: 240_000,
}, async () => {
  const seed = process.env["SEED"] ?? "7"; // The long form draws another each time; what fails here must be the change at hand.
  const { code, output } = await runChild(
    process.execPath,
    ["proofs/chaos/main.ts", "--minutes", "0.5", "--seed", seed],
    { environment: { PATH: process.env["PATH"] } },
  );
  console.log(output);
  expect(output).toContain(`every law held, seed ${seed}`);
  expect(code).toBe(0);
});
