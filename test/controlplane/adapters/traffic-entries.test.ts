// The traffic entries of an app as plain values: what they mean, and which entries are written for new weights.
import { describe, expect, test } from "vitest";
import { entriesFor, weightsOf } from "../../../controlplane/adapters/azure/traffic.ts";

describe("traffic entries", () => {
  const app = (traffic: readonly object[], more: object = {}) =>
    ({
      location: "westeurope",
      latestRevisionName: "a--3",
      latestReadyRevisionName: "a--2",
      configuration: { activeRevisionsMode: "Multiple", ingress: { traffic } },
      ...more,
    }) as never;

  test("are added up by revision, with labels and the latest ready revision resolved and zeros left out", () => {
    expect(
      weightsOf(
        app([
          { latestRevision: true, weight: 30 },
          { revisionName: "a--2", weight: 20 },
          { label: "old", weight: 50 },
          { revisionName: "a--1", label: "old", weight: 0 },
        ]),
      ),
    ).toEqual({
      ok: true,
      value: [
        { revision: "a--2", percent: 50 },
        { revision: "a--1", percent: 50 },
      ],
    });
    expect(weightsOf(app([]))).toEqual({ ok: true, value: [{ revision: "a--2", percent: 100 }] });
    expect(weightsOf(app([{ latestRevision: true, weight: 100 }], { latestReadyRevisionName: undefined }))).toEqual({
      ok: true,
      value: [],
    });
    expect(weightsOf(app([{ label: "lost", weight: 100 }]))).toEqual({
      ok: false,
      reason: "a traffic entry of 100 percent names no revision (label lost)",
    });
  });

  test("mean the latest ready revision in Single mode, whatever they say", () => {
    expect(
      weightsOf(
        app([{ revisionName: "a--1", weight: 100 }], {
          configuration: {
            activeRevisionsMode: "Single",
            ingress: { traffic: [{ revisionName: "a--1", weight: 100 }] },
          },
        }),
      ),
    ).toEqual({ ok: true, value: [{ revision: "a--2", percent: 100 }] });
  });

  test("are written whole: named revisions, labels of others kept, none for missing revisions", () => {
    const entries = [
      { revisionName: "a--1", weight: 100, label: "stable" },
      { revisionName: "a--0", weight: 0, label: "gone" },
      { revisionName: "a--2", weight: 0, label: "blue" },
      { revisionName: "a--9", weight: 0 },
    ];
    const known = new Set(["a--1", "a--2", "a--3"]);
    expect(
      entriesFor(
        [
          { revision: "a--3", percent: 100 },
          { revision: "a--1", percent: 0 },
        ],
        { stable: "a--1", canary: "a--3" },
        app(entries),
        known,
      ),
    ).toEqual([
      { revisionName: "a--3", weight: 100, label: "canary" },
      { revisionName: "a--1", weight: 0, label: "stable" },
      { revisionName: "a--2", weight: 0, label: "blue" },
    ]);
    expect(entriesFor([{ revision: "a--3", percent: 100 }], { stable: "a--3" }, app(entries), known)).toEqual([
      { revisionName: "a--3", weight: 100, label: "stable" },
      { revisionName: "a--2", weight: 0, label: "blue" },
    ]);
    expect(entriesFor([{ revision: "a--2", percent: 100 }], { stable: "a--2" }, app(entries), known)).toEqual([
      { revisionName: "a--2", weight: 100, label: "stable" },
      { revisionName: "a--2", weight: 0, label: "blue" },
    ]);
  });
});
