// What a summary takes from the platform's view: the images of the revision that is released.
import { expect, test } from "vitest";
import { fold } from "../../../engines/engine.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import { summaryOf } from "../../../engines/rollout/summary.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { canary, healthy } from "../../support/worlds/meddling.ts";
import { run } from "../../support/worlds/pure-world.ts";

const { journal } = await run(healthy);
const imagesIn = (events: readonly RolloutEvent[]) =>
  summaryOf("rollout/shop/storefront/r2", events, fold(rollout, events))?.images;
const withImages = (event: RolloutEvent): RolloutEvent =>
  event.kind === "Inspected"
    ? {
        ...event,
        view: {
          ...event.view,
          revisions: event.view.revisions.map((each) => ({ ...each, images: [`registry.example/${each.name}:7`] })),
        },
      }
    : event;

test("gives the images of the canary and not of stable, as the platform last showed them", () =>
  expect(imagesIn(journal.map(withImages))).toEqual([`registry.example/${canary}:7`]));

test("gives no images before the platform showed any, and for a journal without them", () => {
  expect(imagesIn(journal.map(withImages).slice(0, 1))).toBeNull();
  expect(imagesIn(journal)).toBeNull();
});
