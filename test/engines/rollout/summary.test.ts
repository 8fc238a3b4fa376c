// What a summary takes from the platform's view: the images of the revision that is released.
import { expect, test } from "vitest";
import { glance } from "../../../engines/rollout/glance.ts";
import { summaryOf } from "../../../engines/rollout/summary.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { canary, healthy } from "../../support/worlds/meddling.ts";
import { run } from "../../support/worlds/pure-world.ts";

const { journal } = await run(healthy);
const imagesIn = (events: readonly RolloutEvent[]) =>
  summaryOf("rollout/shop/storefront/r2", events.reduce(glance.evolve, glance.initial))?.images;
/** The event with other images, or with none, as journals of an older version have it. */
const withImages = (event: RolloutEvent, imagesOf: (name: string) => { readonly images?: string[] }): RolloutEvent =>
  event.kind === "Inspected"
    ? {
        ...event,
        view: {
          ...event.view,
          revisions: event.view.revisions.map(({ images: _images, ...each }) => ({ ...each, ...imagesOf(each.name) })),
        },
      }
    : event;
const named = (event: RolloutEvent): RolloutEvent =>
  withImages(event, (name) => ({ images: [`registry.example/${name}:7`] }));
const older = (event: RolloutEvent): RolloutEvent => withImages(event, () => ({}));

test("gives the images of the canary and not of stable, as the platform last showed them", () =>
  expect(imagesIn(journal.map(named))).toEqual([`registry.example/${canary}:7`]));

test("gives no images before the platform showed any, and for a journal without them", () => {
  expect(imagesIn(journal.map(named).slice(0, 1))).toBeNull();
  expect(imagesIn(journal.map(older))).toBeNull();
});
