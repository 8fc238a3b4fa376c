// Streams that stand still although their process and their database work: an engine throws on one, or its journal
// cannot be read. Every other stream goes on, each stuck one is shown with the reason, and a version without the bug
// carries it on.
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import type { Journal } from "../../../controlplane/runtime/ports.ts";
import { type AnyKind, EngineFailed, registerKinds, runEngine } from "../../../engines/kind.ts";
import { journalChainBroken } from "../../../errors/journal.ts";
import { balloonKind } from "../../support/balloon/kind.ts";
import { openSky, type Sky } from "../../support/balloon/sky.ts";
import { brokenJournal } from "../../support/controlplane/broken-journals.ts";
import { ferryKind } from "../../support/ferry/kind.ts";
import { eventually } from "../../support/postgres/postgres.ts";

type Part = "decide" | "evolve" | "react" | "targetsOf" | "glance" | "finishes" | "read";

/** Whether the bug is in the running version. */
let hasBug = true;
/** What the bug throws. */
let thrown: unknown = new TypeError("x is not a function");
afterEach(() => {
  hasBug = true;
  thrown = new TypeError("x is not a function");
});

/** Throws on what belongs to the balloon with the rope `b`, if it matches. */
const faulty =
  <Args extends readonly unknown[], Value>(part: (...args: Args) => Value, when = /./) =>
  (...args: Args): Value => {
    const text = JSON.stringify(args);
    if (hasBug && text.includes('["b"]') && when.test(text)) throw thrown;
    return part(...args);
  };

/** Gives the kind with the bug in a part of it. */
function buggy(part: Part): AnyKind {
  const { engine, glance, facts, targetsOf, finishes } = balloonKind;
  const kinds: { readonly [Each in Part]: object } = {
    decide: { engine: { ...engine, decide: faulty(engine.decide, /"Rise"/) } },
    evolve: { engine: { ...engine, evolve: faulty(engine.evolve, /"Rose"/) } },
    react: { engine: { ...engine, react: faulty(engine.react, /"air"/) } },
    targetsOf: { targetsOf: faulty(targetsOf) },
    glance: { glance: { ...glance, evolve: faulty(glance.evolve) } },
    finishes: { finishes: faulty(finishes) },
    read: { facts: { ...facts, read: faulty(facts.read) } },
  };
  return { ...balloonKind, ...kinds[part] };
}

const opened = async (kind: AnyKind, journal?: (journal: Journal) => Journal): Promise<Sky> => {
  const sky = await openSky({
    kinds: registerKinds([kind, ferryKind] as readonly AnyKind[]),
    ...(journal && { journal }),
  });
  onTestFinished(sky.close);
  return sky;
};
const flight = (rope: string): object => ({ ropes: [rope], asks: null });
/** A flight that meets the bug in the air, once it has begun: before that it would be refused. */
const doomed = { ropes: ["b"], asks: { stream: "balloon/other/1", waitSeconds: 60 } };
const landed = (sky: Sky, id: string): Promise<unknown> =>
  eventually(
    async () => (await sky.call("GET", `/balloons/${id}/1`)).body.result === "landed",
    `${id} to land; logged: ${sky.logged.join("; ")}`,
  );
const troubles = async (
  sky: Sky,
): Promise<readonly { readonly id: string; readonly error: { id: string; message: string } }[]> =>
  (await sky.call("GET", "/balloons")).body.unreadable;

describe("a stream whose engine throws", () => {
  it.each(["decide", "evolve", "react"] as const)(
    "in %s stands still alone, is shown, and goes on without the bug",
    async (part) => {
      const sky = await opened(buggy(part));
      await sky.call("PUT", "/balloons/bad/1", doomed);
      await eventually(async () => (await troubles(sky)).length === 1, `the trouble; logged: ${sky.logged.join("; ")}`);
      expect(await troubles(sky)).toEqual([
        {
          id: "balloon/bad/1",
          error: expect.objectContaining({
            id: "journal-engine-failed",
            message: expect.stringContaining(
              "The engine of balloon/bad/1 fails on its journal: TypeError: x is not a function.",
            ),
          }),
        },
      ]);
      // Another stream goes on, on other targets; the target of the stuck one stays its own.
      expect((await sky.call("PUT", "/balloons/good/1", flight("a"))).status).toBe(202);
      await landed(sky, "good");
      const refused = await sky.call("PUT", "/balloons/late/1", flight("b"));
      expect([refused.status, refused.body.error.id]).toEqual([
        409,
        expect.stringMatching(/claim-target-held|stream-in-flight/),
      ]);
      // The heartbeat lives: the switch must not act for one bug.
      const health = (await sky.call("GET", "/health")).body;
      expect(health).toMatchObject({ inFlight: 1, stuck: 1, overdueSeconds: 0 });
      expect(await sky.journal.underWay()).toEqual([{ kind: "balloon", phase: "stuck", streams: 1 }]);
      hasBug = false;
      await landed(sky, "bad");
      expect([await troubles(sky), (await sky.call("GET", "/health")).body.stuck]).toEqual([[], 0]);
      expect(sky.logged.filter((line) => line.startsWith("balloon/bad/1 "))).toEqual([
        expect.stringContaining("rests after an error: The engine of balloon/bad/1 fails on its journal"),
        expect.stringMatching(/goes on after \d+ (try|tries) in vain/),
      ]);
    },
  );

  it.each(["targetsOf", "finishes"] as const)("in %s is refused by name, and nothing starts", async (part) => {
    const sky = await opened(buggy(part));
    const put = await sky.call("PUT", "/balloons/bad/1", flight("b"));
    expect([put.status, put.body.error.id]).toEqual([500, "journal-engine-failed"]);
    expect(put.body.error.message).toContain("balloon/bad/1");
    await sky.call("PUT", "/balloons/good/1", flight("a"));
    await landed(sky, "good");
    expect((await sky.call("GET", "/balloons")).body.balloons).toHaveLength(1);
  });

  it.each(["glance", "read"] as const)("in %s hides no other stream from lists", async (part) => {
    const sky = await opened(buggy(part));
    await sky.call("PUT", "/balloons/bad/1", flight("b"));
    await sky.call("PUT", "/balloons/good/1", flight("a"));
    await landed(sky, "good");
    const { status, body } = await sky.call("GET", "/balloons");
    expect([status, body.balloons.map(({ id }: { id: string }) => id)]).toEqual([200, ["balloon/good/1"]]);
    expect(body.unreadable).toMatchObject([{ id: "balloon/bad/1", error: { id: "journal-engine-failed" } }]);
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a text of two lines and a lone surrogate", "one\ntwo \ud800"],
    ["a text without end", "x".repeat(1e6)],
    ["an error without words", Object.assign(new Error("x"), { name: "", message: "" })],
    ["an object that cannot be worded", Object.create(null)],
    [
      "an object that throws when it is worded",
      {
        toString: () => {
          throw new Error("no");
        },
      },
    ],
    [
      "a proxy that throws",
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("no");
          },
          getPrototypeOf: () => {
            throw new Error("no");
          },
        },
      ),
    ],
    ["a symbol", Symbol("s")],
  ])("may throw %s", async (_, what) => {
    thrown = what;
    expect(() =>
      runEngine(() => {
        throw what;
      }),
    ).toThrow(EngineFailed);
    const sky = await opened(buggy("react"));
    await sky.call("PUT", "/balloons/bad/1", doomed);
    await eventually(async () => (await troubles(sky)).length === 1, `the trouble; logged: ${sky.logged.join("; ")}`);
    const [{ error } = { error: undefined }] = await troubles(sky);
    expect(error).toMatchObject({ id: "journal-engine-failed" });
    expect(error!.message).not.toMatch(/\n/);
    expect(error!.message.length).toBeLessThan(500);
  });
});

it("a stream whose journal cannot be read keeps its target, and holds up no request for another", async () => {
  let broken = false;
  const why = journalChainBroken({ stream: "balloon/bad/1", index: 0, why: "its hash differs" });
  const sky = await opened(balloonKind, (journal) =>
    brokenJournal(journal, (stream) => (broken && stream === "balloon/bad/1" ? why : undefined)),
  );
  broken = true;
  const claimed = await sky.claims.take(["rope/b"], "balloon/bad/1", "dead");
  expect(claimed).toHaveProperty("claim");
  const late = await sky.call("PUT", "/balloons/late/1", flight("b"));
  expect([late.status, late.body.error.id]).toEqual([409, "claim-target-held"]);
  await sky.call("PUT", "/balloons/good/1", flight("a"));
  await landed(sky, "good");
});
