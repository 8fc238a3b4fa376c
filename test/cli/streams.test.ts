// The commands of a kind of work that the command line does not know: a ferry describes itself in one object, and gets
// list, show, explain, follow and its signal. They call the real API over a journal in memory.
import { serve } from "@hono/node-server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Work } from "../../cli/streams/work.ts";
import { streamCalls } from "../../client/streams.ts";
import { createApp } from "../../controlplane/api/app.ts";
import type { Streams } from "../../controlplane/api/call.ts";
import { appRoles } from "../../controlplane/api/roles.ts";
import type { Journal } from "../../controlplane/runtime/ports.ts";
import { fold, type Request, type Signal } from "../../engines/engine.ts";
import { type AnyKind, type Kinds, registerKinds } from "../../engines/kind.ts";
import { journalChainBroken } from "../../errors/journal.ts";
import { brokenJournal } from "../support/controlplane/broken-journals.ts";
import { appendAtEnd } from "../support/controlplane/journals.ts";
import { ferryCommand } from "../support/ferry/command.ts";
import { type Crossing, type FerryEvent, type FerrySignal, ferryEngine } from "../support/ferry/engine.ts";
import { ferryKind } from "../support/ferry/kind.ts";
import { type FerryTypes, ferries } from "../support/ferry/work.ts";
import { memoryClaims, memoryJournal } from "../support/worlds/memory.ts";

const trip = { from: "north", to: "south", load: "apples", crossingSeconds: 60 };
const startedAt = Date.parse("2026-01-05T09:00:00Z");
const at = (seconds: number) => startedAt + seconds * 1000;
const crossed: readonly FerryEvent[] = [
  { at: at(1), kind: "Loaded" },
  { at: at(61), kind: "Crossed" },
];
const arrived: readonly FerryEvent[] = [
  { at: at(62), kind: "Unloaded", dock: "south" },
  { at: at(62), kind: "Moored", result: "arrived", message: "the load is at south" },
];
const sunk: readonly FerryEvent[] = [{ at: at(62), kind: "Moored", result: "sunk", message: "the crane is stuck" }];

let journal: Journal;
/** The streams whose journals cannot be read. */
let unreadable: readonly string[];
let server: ReturnType<typeof serve>;
let endpoint: string;

async function write(stream: string, events: readonly FerryEvent[]): Promise<void> {
  await appendAtEnd(journal, stream, events, { process: "p1" });
}

/** Stands for the control loop: writes what the ferry's engine decides, and moves nothing. */
const loop: Streams = {
  start: async (stream, request) => {
    await write(stream, ferryEngine.decide(ferryEngine.initial, request as Request<Crossing>));
    return "started";
  },
  signal: async (stream, signal) => {
    const written = (await journal.read(stream)).map(({ event }) => event as FerryEvent);
    const events = ferryEngine.decide(fold(ferryEngine, written), signal as Signal<FerrySignal>);
    await write(stream, events);
    return events;
  },
  recover: async () => [],
};

beforeEach(async () => {
  const kinds: Kinds = registerKinds([ferryKind as AnyKind]);
  const inMemory = memoryJournal(kinds);
  unreadable = [];
  journal = brokenJournal(inMemory, (stream) =>
    unreadable.includes(stream) ? journalChainBroken({ stream, index: 1, why: "its hash differs" }) : undefined,
  );
  const app = createApp(
    {
      journal,
      claims: memoryClaims(60),
      kinds,
      streams: loop,
      managedApps: [],
      managedTargets: ["dock/bay/north", "dock/bay/south", "dock/lake/north", "dock/lake/south"],
      now: () => startedAt,
      process: "p1",
      closing: new AbortController().signal,
    },
    async () => ({ name: "ann", roles: appRoles }),
    () => undefined,
  );
  endpoint = await new Promise((resolve) => {
    server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0, overrideGlobalObjects: false }, ({ port }) =>
      resolve(`http://127.0.0.1:${port}`),
    );
  });
  vi.stubEnv("BALLAST_TOKEN", "a-token-for-tests");
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
  await new Promise((resolve) => server.close(resolve));
});

/** Books a trip as a program would. */
const book = (harbour: string, name: string) =>
  streamCalls<FerryTypes>({ endpoint, token: async () => "a-token-for-tests" }, ferries.streams).put(
    { harbour, trip: name },
    trip,
  );

/** Runs a command of the group against the API. */
const ferry = (args: readonly string[], work?: Work<FerryTypes>) => ferryCommand(endpoint, args, work);

test("words the help from what the kind says about itself", async () => {
  const { out } = await ferry(["--help"]);
  expect(out.match(/^ {2}[a-z-]+(?= )/gm)?.map((line) => line.trim())).toEqual([
    "list",
    "show",
    "explain",
    "follow",
    "turn-back",
    "help",
  ]);
  const helps = new Map<string, string>();
  for (const name of ["list", "show", "explain", "follow", "turn-back"])
    helps.set(name, (await ferry([name, "--help"])).out);
  expect(helps.get("list")).toContain(
    "Examples:\n  ballast ferry list --stack prod\n  ballast ferry list --harbour bay",
  );
  expect(helps.get("list")).toMatch(/--harbour <name> +only ferries of this harbour/);
  expect(helps.get("show")).toContain("show a ferry's load, place and result");
  expect(helps.get("show")).toContain("ballast ferry show bay/monday --json");
  expect(helps.get("show")).toContain("<ferry> is <harbour>/<trip>, or the end of that name if only one ferry has it.");
  expect(helps.get("explain")).not.toContain("replay");
  expect(helps.get("follow")).toContain("The exit code is 0 if the load is at a dock, else 1.");
  expect(helps.get("turn-back")).toContain('ballast ferry turn-back monday --message "fog"');
});

test("lists streams in the kind's columns, all or those that a filter selects", async () => {
  expect((await ferry(["list"])).out).toBe("There are no ferries yet.\n");
  expect((await ferry(["list", "--harbour", "nope"])).out).toBe("No ferry matches --harbour nope.\n");
  await book("bay", "monday");
  await book("lake", "Tuesday");
  expect((await ferry(["list", "--harbour", "Bay"])).out).toBe("FERRY             RESULT\nferry/bay/monday  booked\n");
  const listed = JSON.parse((await ferry(["list", "--json"])).out) as { ferries: readonly { id: string }[] };
  expect(listed.ferries.map(({ id }) => id).toSorted()).toEqual(["ferry/bay/monday", "ferry/lake/tuesday"]);
});

test("finds a stream by its full name or by its end, and names the ambiguous ones", async () => {
  await book("bay", "monday");
  await book("lake", "monday");
  await book("lake", "Tuesday");
  for (const name of ["tuesday", "Tuesday", "lake/TUESDAY", "ferry/lake/tuesday"])
    expect((await ferry(["show", name])).out).toBe(
      "lake/tuesday\n  load    apples\n  place   booked\n  result  under way\n",
    );
  await expect(ferry(["show", "monday"])).rejects.toMatchObject({
    id: "cli-stream-name-ambiguous",
    message: expect.stringMatching(/^monday is the end of ferry\/\w+\/monday and ferry\/\w+\/monday\.$/),
    fix: "use the full name: <harbour>/<trip>",
  });
  for (const name of ["day", "friday", "bay/friday", "a/bay/monday"])
    await expect(ferry(["show", name])).rejects.toMatchObject({
      id: "cli-stream-name-unknown",
      fix: "run `ballast ferry list` to see what it has",
    });
});

test("lists and finds streams beyond the first page of an answer", async () => {
  const intent: Crossing = { ...trip, harbour: "bay", release: null, bookedBy: "ann" };
  const booked = ferryEngine.decide(ferryEngine.initial, { kind: "Request", at: startedAt, intent });
  for (let count = 0; count < 101; count++) await write(`ferry/bay/trip${count}`, booked);
  const listed = JSON.parse((await ferry(["list", "--harbour", "bay", "--json"])).out) as { ferries: object[] };
  expect(listed.ferries).toHaveLength(101);
  expect((await ferry(["show", "trip0"])).out).toContain("bay/trip0\n");
});

test("lists an unreadable stream beside the others, and finds no readable one in its place", async () => {
  await book("bay", "monday");
  await book("lake", "tuesday");
  unreadable = ["ferry/lake/tuesday"];
  expect(await ferry(["list"])).toEqual({
    out: "FERRY             RESULT\nferry/bay/monday  booked\n",
    err: expect.stringContaining("journal-chain-broken"),
  });
  await expect(ferry(["show", "tuesday"])).rejects.toMatchObject({ id: "journal-chain-broken" });
});

test("explains a journal, and replays it if the kind can", async () => {
  await book("bay", "monday");
  await write("ferry/bay/monday", crossed);
  await write("ferry/bay/monday", arrived);
  const { out } = await ferry(["explain", "monday"]);
  expect(out).toContain("   1m 2s  Moored          arrived: the load is at south\n");
  expect(out).not.toContain("Crossed");
  await expect(ferry(["explain", "monday", "--replay"])).rejects.toMatchObject({ code: "commander.unknownOption" });
  const replaying = { ...ferries, replay: () => undefined };
  expect((await ferry(["explain", "monday", "--replay"], replaying)).out).toContain("Replayed 5 facts");
  const differing = { ...ferries, replay: () => ({ index: 4, written: { kind: "Moored" }, decided: undefined }) };
  await expect(ferry(["explain", "monday", "--replay"], differing)).rejects.toMatchObject({
    id: "cli-replay-differs",
    message: expect.stringContaining(
      'ferry/bay/monday gives decisions that differ from its journal: fact 4 is {"kind"',
    ),
  });
});

test("without a name, explains what the kind chooses or the newest, and follows what is in progress", async () => {
  for (const command of ["explain", "follow"])
    await expect(ferry([command])).rejects.toMatchObject({
      id: "cli-stream-none",
      message: "The control plane has no ferries yet, so there is none to show.",
    });
  await book("bay", "monday");
  await write("ferry/bay/monday", [...crossed, ...arrived]);
  await book("bay", "tuesday");
  await write("ferry/bay/tuesday", crossed);
  expect((await ferry(["explain"])).out).toContain("Journal: 3 facts");
  const finder = {
    naming: "<ferry> is a ferry.",
    find: () => Promise.reject(new Error("no name was given")),
    usual: { meaning: "the last one that arrived", choose: ferriesThatArrived },
  };
  const choosing = { ...ferries, finder };
  expect((await ferry(["explain"], choosing)).out).toContain("Moored          arrived: the load is at south\n");
  expect((await ferry(["explain", "--help"], choosing)).out).toContain("Without it: the last one that arrived.");
  const following = ferry(["follow"]);
  await write("ferry/bay/tuesday", sunk);
  expect((await following).out).toContain("sunk  the crane is stuck\n");
  expect(process.exitCode).toBe(1);
  unreadable = ["ferry/bay/monday", "ferry/bay/tuesday"];
  await expect(ferry(["explain"])).rejects.toMatchObject({ id: "journal-chain-broken" });
});

const ferriesThatArrived = (newestFirst: readonly FerryTypes["summary"][]) =>
  newestFirst.find(({ result }) => result === "arrived");

test("follows a stream to its end, and the exit code says whether that was a success", async () => {
  await book("bay", "monday");
  await write("ferry/bay/monday", crossed);
  const following = ferry(["follow", "monday", "--from", "2"]);
  await write("ferry/bay/monday", arrived);
  expect((await following).out).toBe(
    [
      "   1m 2s  Unloaded        the load is put down at south",
      "   1m 2s  Moored          arrived: the load is at south",
      "arrived  the load is at south\n",
    ].join("\n"),
  );
  expect(process.exitCode).toBeUndefined();
  await book("bay", "tuesday");
  await write("ferry/bay/tuesday", [...crossed, ...sunk]);
  const lines = (await ferry(["follow", "tuesday", "--json"])).out.trim().split("\n");
  expect(JSON.parse(lines.at(-1)!)).toEqual({ result: "sunk", message: "the crane is stuck" });
  expect(process.exitCode).toBe(1);
});

test.each(["follow", "explain"])("%s leaves out facts that say nothing to people, except as JSON", async (command) => {
  await book("bay", "monday");
  await write("ferry/bay/monday", [...crossed, ...arrived]);
  expect((await ferry([command, "monday"])).out).not.toContain("Crossed");
  expect((await ferry([command, "monday", "--json"])).out).toContain("Crossed");
});

test("sends a signal of the kind, and reports why a late one is refused", async () => {
  await book("bay", "monday");
  expect((await ferry(["turn-back", "monday", "--message", "fog"])).out).toBe("turned back by ann: fog\n");
  expect((await journal.read("ferry/bay/monday")).at(-1)?.event).toMatchObject({ kind: "TurnedBack", message: "fog" });
  await expect(ferry(["turn-back", "monday", "-m", "again", "--json"])).rejects.toMatchObject({
    id: "signal-disregarded",
  });
});
