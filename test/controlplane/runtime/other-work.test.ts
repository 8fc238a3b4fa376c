// Which work of other kinds a remediation sees: what is in flight, and what ended a moment ago, by the targets held.
import { expect, it } from "vitest";
import { workInJournal } from "../../../controlplane/performers/remediation-situation.ts";
import type { Fact } from "../../../controlplane/runtime/ports.ts";
import type { AnyEvent, AnyKind } from "../../../engines/kind.ts";
import { quickRequest } from "../../support/worlds/cloud-in-table.ts";
import { rollouts } from "../../support/worlds/rollouts.ts";

const planned = (app: string): AnyEvent =>
  ({
    kind: "Planned",
    at: 1000,
    intent: quickRequest({ resourceGroup: "Shop", app }, [50]).intent,
    steps: [50, 100],
  }) as AnyEvent;
const finished = (at: number): AnyEvent =>
  ({ kind: "Finished", at, result: "promoted", reason: "every-step-passed", message: "good" }) as AnyEvent;

const journals: Readonly<Record<string, readonly AnyEvent[]>> = {
  "rollout/shop/web/web--2": [planned("Web")],
  "rollout/shop/cart/cart--2": [planned("cart"), finished(9000)],
  "rollout/shop/pay/pay--2": [planned("pay"), finished(2000)],
};

it("is in flight, or has ended since a moment", async () => {
  const work = workInJournal(
    {
      streams: async ({ kind }) => (kind === "rollout" ? Object.keys(journals) : []),
      read: async (stream) => journals[stream]!.map((event, index) => ({ stream, index, event }) as Fact),
    },
    { all: rollouts.all as readonly AnyKind[] },
  );
  expect(await work.list(5000)).toEqual({
    ok: true,
    value: [
      { stream: "rollout/shop/web/web--2", target: "app/shop/web", endedAt: null },
      { stream: "rollout/shop/cart/cart--2", target: "app/shop/cart", endedAt: 9000 },
    ],
  });
});
