// Colour of the command's output: on a terminal only, unless NO_COLOR or FORCE_COLOR decides. Node before 22 leaves
// this decision to us, so the rule is tested by itself, and the output of the command by its bytes.
import { describe, expect, test, vi } from "vitest";
import { printError, showsColour, styled } from "../../cli/terminal.ts";
import { rolloutUnknown } from "../../errors/cli.ts";

const terminal = { isTTY: true };
const pipe = {};

describe("colour", () => {
  test.each([
    ["on a terminal", terminal, {}, true],
    ["not through a pipe", pipe, {}, false],
    ["not on a terminal with NO_COLOR", terminal, { NO_COLOR: "1" }, false],
    ["on a terminal if NO_COLOR is empty", terminal, { NO_COLOR: "" }, true],
    ["not on a terminal without capabilities", terminal, { TERM: "dumb" }, false],
    ["through a pipe with FORCE_COLOR", pipe, { FORCE_COLOR: "1" }, true],
    ["with FORCE_COLOR even if NO_COLOR is set", pipe, { FORCE_COLOR: "", NO_COLOR: "1" }, true],
    ["not on a terminal with FORCE_COLOR=0", terminal, { FORCE_COLOR: "0" }, false],
  ])("is used %s", (_when, stream, environment, expected) => expect(showsColour(stream, environment)).toBe(expected));

  test("frames the text in its codes and nothing else, and an error goes by the stream it is written to", () => {
    vi.stubEnv("FORCE_COLOR", "1");
    expect(styled("green", "good")).toBe("\x1b[32mgood\x1b[39m");
    const written: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
    printError(rolloutUnknown({ name: "shop" }), false);
    vi.stubEnv("FORCE_COLOR", "0");
    expect(styled("green", "good")).toBe("good");
    printError(rolloutUnknown({ name: "shop" }), false);
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    expect(written.map((text) => text.split("  ")[0])).toEqual([
      "\x1b[1m\x1b[31mcli-rollout-unknown\x1b[22m\x1b[39m",
      "cli-rollout-unknown",
    ]);
  });
});
