// When the control plane looks for credentials that are due: each hour, when one becomes due, and when Event Grid says
// that a secret expires soon. A delivery is never more than a hint.
import { expect, test } from "vitest";
import { startLooking } from "../../controlplane/due-rotations.ts";
import { aborted } from "../../controlplane/runtime/clock.ts";
import { nearExpiry } from "../support/controlplane/events.ts";
import { scenarioOf } from "../support/worlds/rotation-scenario.ts";

const { credential } = scenarioOf("replaces-a-version-that-is-due");
const { vault } = credential;
const now = Date.parse("2031-01-01T12:00:00Z");

/** Looks a few times, and gives how long each rest was. `deliver` gets the hint during each look. */
async function rests(
  looks: number,
  deliver: (hint: (payload: unknown) => Promise<unknown>, look: number) => Promise<unknown>,
  credentials = async () => [credential],
): Promise<readonly number[]> {
  const found: number[] = [];
  let over: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    over = resolve;
  });
  const looking = startLooking(
    {
      credentials,
      vault: {
        look: async () => {
          found.push(0);
          return { ok: true, value: { published: null } };
        },
      },
      streams: { start: async () => "started" },
      now: () => now,
      log: () => undefined,
    },
    {
      nap: async (milliseconds, cancel) => {
        if (found.length >= looks) over();
        await deliver(looking.hint, found.length);
        if (!cancel.aborted) found[found.length - 1]! += milliseconds;
      },
    },
  );
  await ended;
  await looking.close();
  return found.slice(0, looks - 1);
}

const nothing = async (): Promise<void> => undefined;

test("without a delivery it looks each hour", async () => {
  expect(await rests(3, nothing)).toEqual([3_600_000, 3_600_000]);
});

test("a delivery about a declared credential ends the rest, and a storm of them looks every five seconds", async () => {
  const once = async (hint: (payload: unknown) => Promise<unknown>, look: number) =>
    look === 1 && hint([nearExpiry(vault, credential.credential)]);
  expect(await rests(3, once)).toEqual([5_000, 3_600_000]);
  const storm = async (hint: (payload: unknown) => Promise<unknown>) => {
    for (let each = 0; each < 50; each++) await hint([nearExpiry(vault, credential.credential)]);
  };
  expect(await rests(4, storm)).toEqual([5_000, 5_000, 5_000]);
});

test("one about another vault changes nothing", async () => {
  expect(await rests(3, (hint) => hint([nearExpiry("other", credential.credential)]))).toEqual([3_600_000, 3_600_000]);
});

test("while the declared credentials cannot be read, an event counts: it might be about one", async () => {
  let isLost = false;
  const looking = startLooking(
    {
      credentials: async () => {
        if (isLost) throw new Error("lost");
        return [];
      },
      vault: { look: async () => ({ ok: true, value: { published: null } }) },
      streams: { start: async () => "started" },
      now: () => now,
      log: () => undefined,
    },
    { nap: (_milliseconds, cancel) => aborted(cancel) },
  );
  const event = nearExpiry(vault, credential.credential);
  expect(await looking.hint([event])).toMatchObject({ says: "ignore" });
  isLost = true;
  expect(await looking.hint([event])).toEqual({ says: "look" });
  expect(await looking.hint([{ nonsense: 1 }])).toMatchObject({ says: "refuse" });
  await looking.close();
});
