// The contract of the Claims port, run against every adapter of it, and the rules of stream names and leases.
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import type { Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import { keepLease } from "../../../controlplane/runtime/claims.ts";
import { systemTime } from "../../../controlplane/runtime/clock.ts";
import type { Claim, Claims } from "../../../controlplane/runtime/ports.ts";
import { streamOf, targetOf } from "../../../engines/rollout/names.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { prepared } from "../../support/postgres/prepared.ts";
import { memoryClaims } from "../../support/worlds/memory.ts";

const postgres = postgresForTests();
let count = 0;

async function inPostgres(database: Database): Promise<(leaseSeconds: number) => Claims> {
  const pool = postgres.pool(database);
  await migrate(pool);
  return (leaseSeconds) => openClaims(pool, leaseSeconds);
}

const places = [
  ["PostgreSQL", async () => inPostgres(await postgres.fresh())],
  ["PostgreSQL under the role that is made for it", async () => inPostgres(await prepared(await postgres.fresh()))],
  ["memory", async () => (leaseSeconds: number) => memoryClaims(leaseSeconds)],
] as const;

describe.each(places)("claims in %s", (_place, open) => {
  let openWith: (leaseSeconds: number) => Claims;
  let claims: Claims;
  beforeAll(async () => {
    openWith = await open();
    claims = openWith(30);
  });
  const target = () => `app/rg/app-${++count}`;
  const taken = async (targets: readonly string[], stream: string, process: string, from = claims): Promise<Claim> => {
    const claimed = await from.take(targets, stream, process);
    if (!("claim" in claimed)) throw new Error(`held by ${claimed.heldBy}`);
    return claimed.claim;
  };
  const take = (of: string, stream: string, process: string, from = claims): Promise<Claim> =>
    taken([of], stream, process, from);

  it("give a free target at epoch 1, to one stream", async () => {
    const of = target();
    expect(await take(of, "s", "p")).toEqual({ targets: [of], holder: "s", process: "p", epoch: 1 });
    expect(await claims.take([of], "other", "p")).toEqual({ heldBy: "s" });
  });

  it("take a target that is named twice once, so that the claim can be renewed", async () => {
    const [one, other] = [target(), target()];
    const claim = await taken([other, one, other], "s", "p");
    expect(claim.targets).toEqual([one, other].toSorted());
    expect(await claims.renew(claim)).toBe(true);
  });

  it("give a process its own live claim again, unchanged", async () => {
    const of = target();
    expect(await take(of, "s", "p")).toEqual(await take(of, "s", "p"));
  });

  it("refuse a live claim to another process of the same stream, and to another stream", async () => {
    const of = target();
    await take(of, "s", "p");
    expect(await claims.take([of], "s", "q")).toEqual({ heldBy: "s" });
    expect(await claims.take([of], "t", "p")).toEqual({ heldBy: "s" });
  });

  it("let one of many processes win a free target", async () => {
    const of = target();
    const came = await Promise.all(Array.from({ length: 12 }, (_nothing, each) => claims.take([of], "s", `p${each}`)));
    expect(came.filter((each) => "claim" in each)).toHaveLength(1);
  });

  it("let one of many processes inherit a lapsed claim, at the next epoch", async () => {
    const of = target();
    await claims.lapse(await take(of, "s", "p"));
    const came = await Promise.all(Array.from({ length: 12 }, (_nothing, each) => claims.take([of], "s", `p${each}`)));
    const won = came.flatMap((each) => ("claim" in each ? [each.claim] : []));
    expect(won).toHaveLength(1);
    expect(won[0]?.epoch).toBe(2);
  });

  it("raise the epoch even for the process whose own lease expired", async () => {
    const of = target();
    const claim = await take(of, "s", "p");
    await claims.lapse(claim);
    expect(await claims.renew(claim)).toBe(false);
    expect((await take(of, "s", "p")).epoch).toBe(2);
  });

  it("keep an expired target for its own stream, because a dead process does not end its rollout", async () => {
    const of = target();
    await claims.lapse(await take(of, "s", "p"));
    expect(await claims.take([of], "t", "q")).toEqual({ heldBy: "s" });
  });

  it("give a released target to any stream, at the next epoch", async () => {
    const of = target();
    await claims.release(await take(of, "s", "p"));
    expect(await take(of, "t", "q")).toMatchObject({ holder: "t", process: "q", epoch: 2 });
  });

  it("ignore a process that renews, releases or lapses a claim that is no longer its own", async () => {
    const of = target();
    const old = await take(of, "s", "p");
    await claims.lapse(old);
    const current = await take(of, "s", "q");
    expect(await claims.renew(old)).toBe(false);
    await claims.release(old);
    await claims.lapse(old);
    expect(await claims.renew(current)).toBe(true);
  });

  it("expire by themselves unless renewed, and are listed", async () => {
    const brief = openWith(0.2);
    const of = target();
    const claim = await take(of, "brief", "p", brief);
    expect(await brief.expired()).not.toContainEqual(claim);
    await eventually(
      async () => (await brief.expired()).some((expired) => expired.targets[0] === claim.targets[0]),
      "the lease to run out",
    );
    expect(await brief.expired()).toContainEqual(claim);
    await brief.release(claim);
    expect(await brief.expired()).not.toContainEqual(claim);
  });

  it("list the streams that others keep, without expired and released ones", async () => {
    const brief = openWith(0.2);
    const theirs = target();
    const kept = await take(theirs, "kept-elsewhere", "q");
    const mine = await take(target(), "kept-here", "p");
    const left = await take(target(), "left-elsewhere", "q", brief);
    await eventually(
      async () => (await brief.expired()).some((expired) => expired.targets[0] === left.targets[0]),
      "the lease to run out",
    );
    const elsewhere = await claims.keptElsewhere("p");
    expect([kept, mine, left].map(({ holder }) => elsewhere.includes(holder))).toEqual([true, false, false]);
    await claims.release(kept);
    expect(await claims.keptElsewhere("p")).not.toContain(kept.holder);
  });

  describe("of several targets", () => {
    const two = () => [target(), target()].toSorted() as [string, string];

    it("take all in the order of their keys, at one epoch above the highest of any", async () => {
      const [first, second] = two();
      for (const _time of [1, 2, 3]) await claims.release(await take(second, "before", "p"));
      const claimed = await claims.take([second, first], "s", "p");
      expect(claimed).toEqual({ claim: { targets: [first, second], holder: "s", process: "p", epoch: 4 } });
      expect(await claims.take([first], "t", "p")).toEqual({ heldBy: "s" });
      expect(await claims.take([second], "t", "p")).toEqual({ heldBy: "s" });
    });

    it("take none if another stream holds one of them, and leave the others free", async () => {
      const [first, second] = two();
      await take(second, "other", "p");
      expect(await claims.take([first, second], "s", "p")).toEqual({ heldBy: "other" });
      expect(await take(first, "third", "p")).toMatchObject({ holder: "third", targets: [first] });
    });

    it("are renewed, lapsed, listed, inherited and released together", async () => {
      const targets = two();
      const first = await taken(targets, "whole", "p");
      expect(await claims.renew(first)).toBe(true);
      expect(await claims.holders(targets)).toEqual(["whole"]);
      await claims.lapse(first);
      expect(await claims.renew(first)).toBe(false);
      expect(await claims.expired()).toContainEqual(first);
      const second = await taken(targets, "whole", "q");
      expect(second).toEqual({ ...first, process: "q", epoch: 2 });
      expect(await claims.renew(first)).toBe(false);
      await claims.release(first);
      expect(await claims.holders(targets)).toEqual(["whole"]);
      await claims.release(second);
      expect(await claims.holders(targets)).toEqual([]);
    });

    it("never wait for each other in a circle, whatever order they are asked in, and one wins whole", async () => {
      for (let round = 0; round < 10; round++) {
        const targets = [target(), target(), target()];
        const pairs = targets.flatMap((one) => targets.map((other) => [one, other])).filter(([a, b]) => a !== b);
        const came = await Promise.all(pairs.map((pair, index) => claims.take(pair, `circle-${index}`, `p${index}`)));
        const won = came.flatMap((each) => ("claim" in each ? [each.claim] : []));
        expect(won).toHaveLength(1);
        expect(await claims.holders(targets)).toEqual([won[0]!.holder]);
        await claims.release(won[0]!);
        expect(await claims.holders(targets)).toEqual([]);
      }
    });
  });

  it("lock an app for one client at a time, until it is unlocked", async () => {
    const of = target();
    const lock = await claims.lock(of, "ann", 60);
    if (!("id" in lock)) throw new Error("not held");
    expect(lock.by).toBe("ann");
    expect(await claims.lock(of, "bob", 60)).toEqual({ heldBy: "ann" });
    expect(await claims.lockOn(of)).toEqual({ ...lock, seconds: expect.closeTo(60, -1) });
    await claims.unlock(of, "another id");
    expect(await claims.lockOn(of)).toEqual({ ...lock, seconds: expect.closeTo(60, -1) });
    await claims.unlock(of, lock.id);
    expect(await claims.lockOn(of)).toBeUndefined();
    expect(await claims.lock(of, "bob", 60)).toMatchObject({ by: "bob" });
  });

  it("let a lock expire, so that a `pulumi up` that died blocks no later one", async () => {
    const of = target();
    await claims.lock(of, "ann", 0.1);
    expect(
      await eventually(async () => {
        const lock = await claims.lock(of, "bob", 60);
        return "id" in lock && lock;
      }, "the hold to run out"),
    ).toMatchObject({ by: "bob" });
  });

  it("do not block a lock, and a lock does not block them", async () => {
    const of = target();
    await take(of, "s", "p");
    expect(await claims.lock(of, "ann", 60)).toMatchObject({ by: "ann" });
    const other = target();
    await claims.lock(other, "ann", 60);
    expect(await take(other, "s", "p")).toMatchObject({ holder: "s" });
  });
});

describe("a lease", () => {
  const claim: Claim = { targets: ["app/rg/web"], holder: "s", process: "p", epoch: 1 };
  const kept = (renew: () => Promise<boolean>, seconds: number) => {
    const lease = keepLease(claim, { renew }, seconds, systemTime);
    onTestFinished(lease.end);
    return lease;
  };

  it("is kept by renewing it", async () => {
    let renewals = 0;
    const lease = kept(async () => ++renewals > 0, 0.3);
    await eventually(() => renewals >= 6, "two leases to go by");
    expect(lease.fresh()).toBe(true);
    expect(lease.lost.aborted).toBe(false);
  });

  it("is lost when the store says so", async () => {
    const lease = kept(async () => false, 30);
    expect(await lease.confirm()).toBe(false);
    expect(lease.lost.aborted).toBe(true);
    expect(await lease.confirm()).toBe(false);
  });

  it.each<[string, () => Promise<boolean>]>([
    ["does not answer", () => new Promise(() => {})],
    ["fails", () => Promise.reject(new Error("away"))],
  ])("is lost when the store %s for the whole lease", async (_, renew) => {
    const lease = kept(renew, 0.3);
    expect(lease.fresh()).toBe(true);
    await eventually(() => lease.lost.aborted, "the lease to be lost");
    expect(lease.fresh()).toBe(false);
  });
});

describe("the name of a stream", () => {
  it("holds its target, in lower case", () => {
    const stream = streamOf({ resourceGroup: "RG-Shop", app: "Web" }, "Web--AB1");
    expect(stream).toBe("rollout/rg-shop/web/web--ab1");
    expect(targetOf(stream)).toEqual({ resourceGroup: "rg-shop", app: "web" });
  });

  it.each(["", "rollout/rg/web", "rotation/rg/web/r", "rollout/rg/web/r/more", "rollout//web/r"])(
    "has no target as %j",
    (stream) => {
      expect(targetOf(stream)).toBeUndefined();
    },
  );
});
