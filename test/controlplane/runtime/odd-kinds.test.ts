// A kind of work as odd as a kind may be, through the real loop and API over memory: targets named twice, names with
// slashes, parts that another kind names too, no signals, and questions to streams that cannot answer.
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type AnyKind, controllerOf, registerKinds } from "../../../engines/kind.ts";
import { journalFactUnknown } from "../../../errors/journal.ts";
import { balloonKind } from "../../support/balloon/kind.ts";
import { openSky, type Sky, type SkySetting } from "../../support/balloon/sky.ts";
import { ferryKind } from "../../support/ferry/kind.ts";
import { eventually } from "../../support/postgres/postgres.ts";

const flight = (more: object = {}) => ({ ropes: ["a"], asks: null, ...more });
const landing = (sky: Sky, stream: string): Promise<{ readonly result: string; readonly message: string }> =>
  eventually(
    async () => {
      const last = (await sky.journal.read(stream)).at(-1)?.event as any;
      return last?.kind === "Landed" && last;
    },
    `${stream} to land; logged: ${sky.logged.join("; ")}`,
  );
const opened = async (setting: SkySetting = {}): Promise<Sky> => {
  const sky = await openSky(setting);
  onTestFinished(sky.close);
  return sky;
};

describe("a kind with odd words", () => {
  let sky: Sky;
  beforeEach(async () => {
    sky = await openSky();
  });
  afterEach(() => sky.close());

  it("is carried out, and frees all of its targets at its end", async () => {
    expect((await sky.call("PUT", "/balloons/red/1", flight({ ropes: ["c", "a", "b"] }))).status).toBe(202);
    expect(await landing(sky, "balloon/red/1")).toMatchObject({ result: "landed" });
    await eventually(
      async () => (await sky.claims.holders(["rope/a", "rope/b", "rope/c"])).length === 0,
      "the ropes to be free",
    );
  });

  it("may name a target twice", async () => {
    await sky.call("PUT", "/balloons/red/1", flight({ ropes: ["a", "b", "a"] }));
    expect(await landing(sky, "balloon/red/1")).toMatchObject({ result: "landed" });
    await eventually(async () => (await sky.claims.holders(["rope/a", "rope/b"])).length === 0, "the ropes to be free");
  });

  it("names a part as it likes, also as another kind or a lock does", async () => {
    expect((await sky.call("PUT", "/balloons/red%20sky/12", flight())).status).toBe(202);
    expect((await sky.call("PUT", "/balloons/red/high", flight())).body.error.message).toContain("a height");
    expect((await sky.call("GET", "/ferries/bay/one")).body.error.id).toBe("stream-unknown");
    expect((await sky.call("GET", "/ferries/bay/a%20b")).body.error.id).toBe("call-malformed");
    const { paths } = (await sky.call("GET", "/openapi.json")).body;
    const schemaOf = (path: string, name: string) =>
      paths[path].get.parameters.find((parameter: { name: string }) => parameter.name === name).schema;
    expect(schemaOf("/balloons/{id}/{trip}", "trip").pattern).toBe("^\\d+$");
    expect(schemaOf("/balloons/{id}/{trip}", "id").maxLength).toBe(30);
    expect(schemaOf("/ferries/{harbour}/{trip}", "trip").pattern).toBe("^[A-Za-z0-9-]+$");
  });

  it.each(["bläu", "气球", "İ", "a.b", "..b", "%", "%2F", "a?b", "a#b", "rollout", "journal", "x".repeat(30)])(
    "finds a stream by the name %j under which it was started",
    async (name) => {
      const path = `/balloons/${encodeURIComponent(name)}/1`;
      const put = await sky.call("PUT", path, flight());
      expect([put.status, put.body.error]).toEqual([202, undefined]);
      expect((await sky.call("GET", path)).body.id).toBe(put.body.id);
      expect((await sky.call("GET", `/balloons?id=${encodeURIComponent(name)}`)).body.balloons).toHaveLength(1);
    },
  );

  it.each(["a/1/b", "a/b", "/", "a/", "a\0b", "a\nb"])(
    "refuses the name %j, which no stream can have",
    async (name) => {
      const put = await sky.call("PUT", `/balloons/${encodeURIComponent(name)}/1`, flight());
      expect([put.status, put.body.error.id]).toEqual([400, "call-malformed"]);
      expect(put.body.error.message).toContain("The id in the path");
      expect(await sky.journal.streams({})).toEqual([]);
    },
  );

  it("has no call for signals if it has no signals", async () => {
    await sky.call("PUT", "/balloons/red/1", flight());
    const { paths } = (await sky.call("GET", "/openapi.json")).body;
    expect(Object.keys(paths)).not.toContain("/balloons/{id}/{trip}/signals");
    expect((await sky.call("POST", "/balloons/red/1/signals", { signal: "x", message: "y" })).status).toBe(404);
  });

  it("asks for nothing before it is requested, whatever its engine says about its first state", async () => {
    expect(controllerOf(balloonKind as AnyKind).asks([])).toBeUndefined();
    // A process that died between the claim and the first fact.
    await sky.claims.take(["rope/a"], "balloon/red/1", "dead").then(async (taken) => {
      if ("claim" in taken) await sky.claims.lapse(taken.claim);
    });
    await sky.orchestrator.recover();
    await eventually(async () => (await sky.claims.holders(["rope/a"])).length === 0, "the rope to be free");
    expect([sky.rises, await sky.journal.streams({})]).toEqual([[], []]);
  });

  it("accepts exactly the bodies that the description allows, and names the place in the others", async () => {
    const { paths } = (await sky.call("GET", "/openapi.json")).body;
    const described = paths["/balloons/{id}/{trip}"].put.requestBody.content["application/json"].schema;
    const isDescribed = new Ajv2020({ strict: false }).compile(described);
    const seen = { allowed: 0, refused: 0 };
    const odd = fc.constantFrom<unknown>(null, -0, 1e308, "", "a", "1", [], {}, true, -1, 61, 59.5);
    const bodies = fc.record(
      {
        ropes: fc.oneof(fc.array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom("a", "b") }, odd)), odd),
        asks: fc.oneof(
          fc.constant(null),
          odd,
          fc.record({ stream: odd, waitSeconds: odd, more: odd }, { requiredKeys: [] }),
        ),
      },
      { requiredKeys: [] },
    );
    let trip = 0;
    await fc.assert(
      fc.asyncProperty(bodies, async (sent) => {
        trip++;
        const { status, body } = await sky.call("PUT", `/balloons/red/${trip}`, sent);
        if (isDescribed(JSON.parse(JSON.stringify(sent)))) {
          seen.allowed++;
          expect([202, 404, 409]).toContain(status);
          return;
        }
        seen.refused++;
        expect([status, body.error.id]).toEqual([400, "call-malformed"]);
        expect(body.error.message).toMatch(/ropes|asks/);
      }),
      { numRuns: 300, verbose: 1 },
    );
    expect(Math.min(seen.allowed, seen.refused)).toBeGreaterThan(5);
  });
});

describe("a kind that asks another", () => {
  const asking = (stream: string, waitSeconds = 0.2) => flight({ asks: { stream, waitSeconds } });

  it("hears how the other ended, and starts it once", async () => {
    const sky = await opened();
    await sky.call("PUT", "/balloons/red/1", asking("balloon/blue/2", 20));
    expect(await landing(sky, "balloon/red/1")).toMatchObject({ result: "landed" });
    expect(sky.rises).toEqual([["a"], ["c"]]);
  });

  it("fails with a reason if this process cannot carry the other kind out", async () => {
    const sky = await opened();
    for (const [trip, stream] of ["kite/high/1", "ferry/bay/one", "nothing"].entries()) {
      await sky.call("PUT", `/balloons/red/${trip}`, asking(stream));
      expect(await landing(sky, `balloon/red/${trip}`)).toEqual({
        kind: "Landed",
        at: expect.any(Number),
        result: "burst",
        message: `${stream} is of a kind that this process does not know`,
      });
      await eventually(async () => (await sky.claims.holders(["rope/a"])).length === 0, "the rope to be free");
    }
  });

  it("fails with a reason if the name is not one that the API could show", async () => {
    const sky = await opened();
    for (const [trip, stream] of ["balloon/Blue/2", "balloon/blue", "balloon/blue/2/3", "balloon/blue/x"].entries()) {
      await sky.call("PUT", `/balloons/red/${trip}`, asking(stream));
      expect(await landing(sky, `balloon/red/${trip}`)).toMatchObject({
        result: "burst",
        message: `${stream} is not a name of a balloon`,
      });
      await eventually(async () => (await sky.claims.holders(["rope/a"])).length === 0, "the rope to be free");
    }
  });

  it("fails with a reason when it asks for a stream on its own target, and is not held up", async () => {
    const sky = await opened();
    await sky.call("PUT", "/balloons/red/1", { ...asking("balloon/blue/2"), ropes: ["c"] });
    expect(await landing(sky, "balloon/red/1")).toMatchObject({
      result: "burst",
      message: expect.stringContaining("balloon/red/1 is in flight on the same target"),
    });
  });

  it("waits no longer than its limit for a stream that cannot be read, and says why", async () => {
    const sky = await opened({
      journal: (journal) => {
        let reads = 0;
        const read: typeof journal.read = async (stream, known) => {
          if (stream === "balloon/blue/2" && ++reads > 2)
            throw journalFactUnknown({ stream, index: 0, why: "it is of the next version" });
          return journal.read(stream, known);
        };
        return { ...journal, read };
      },
    });
    await sky.call("PUT", "/balloons/red/1", asking("balloon/blue/2"));
    expect(await landing(sky, "balloon/red/1")).toMatchObject({
      result: "burst",
      message: expect.stringMatching(/^balloon\/blue\/2 did not end within .*it is of the next version/),
    });
  });
});

describe("the list of kinds", () => {
  const kind = (more: object, calls: object = {}): AnyKind =>
    ({ ...balloonKind, ...more, calls: { ...balloonKind.calls, ...calls } }) as unknown as AnyKind;
  const parts = balloonKind.calls.parts;

  it.each<readonly [what: string, all: readonly AnyKind[], says: string]>([
    ["two of one name", [balloonKind, kind({}, { noun: "Kite", plural: "kites" })], "balloon"],
    ["two of one path", [balloonKind, kind({ kind: "kite" }, { noun: "Kite" })], "balloons"],
    ["two of one noun", [balloonKind, kind({ kind: "kite" }, { plural: "kites" })], "Balloon"],
    ["a name with a slash", [kind({ kind: "hot/air" })], "hot/air"],
    ["a name in upper case", [kind({ kind: "Balloon" })], "Balloon"],
    ["no parts", [kind({}, { parts: {}, filters: {} })], "parts"],
    ["a part that no path can have", [kind({}, { parts: { ...parts, "sky-blue": parts.id } })], "sky-blue"],
    ["a filter by a part that it lacks", [kind({}, { filters: { id: "depth" } })], "depth"],
    ["a path with a slash", [kind({}, { plural: "hot/air" })], "hot/air"],
  ])("refuses a kind with %s", (_what, all, says) => {
    expect(() => registerKinds(all as readonly AnyKind[])).toThrow(says);
  });

  it("accepts kinds that differ", () => {
    expect(registerKinds([balloonKind, ferryKind] as readonly AnyKind[]).of("balloon/red/1")).toBe(balloonKind);
  });
});
