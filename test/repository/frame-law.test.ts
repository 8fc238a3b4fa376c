// The law of frames on small files: that it finds a frame which knows a kind of work, directly or through other files.
import { expect, test } from "vitest";
import { frameLaw } from "../support/repository/frame-law.ts";
import type { SourceFile } from "../support/repository/source.ts";

const file = (path: string, text = ""): SourceFile => ({ path, text, executable: false });
const kinds = [
  file("engines/kind.ts"),
  file("engines/kinds.ts", 'import "./sigh/kind.ts";'),
  file("engines/sigh/kind.ts"),
];

test("frames may use what is common to all kinds, and a root beside a frame may know them", () => {
  const files = [
    ...kinds,
    file("provider/service.ts", 'import "../engines/kind.ts";'),
    file("provider/main.ts", 'import "./sigh/sigh.ts"; import "./service.ts";'),
    file("provider/sigh/sigh.ts", 'import "../../engines/sigh/kind.ts"; import "../service.ts";'),
  ];
  expect(frameLaw(["provider/*", "engines/*"])(files)).toEqual([]);
});

test("finds a frame that imports a kind, its types, the list of kinds, or a file that leads to a kind", () => {
  const files = [
    ...kinds,
    file("client/follow.ts", '//\nimport type { Sigh } from "../engines/sigh/kind.ts";'),
    file("client/calls.ts", 'import "../engines/sigh/kind.ts";'),
    file("controlplane/api/streams/put.ts", 'import "../../../client/calls.ts";'),
    file("report/page.ts", 'import { kinds } from "../engines/kinds.ts";'),
    file("engines/form.ts", 'import "./sigh/kind.ts";'),
  ];
  const remedy = "but a frame knows no kind: take what it needs as an argument.";
  expect(frameLaw(["client/follow.ts", "controlplane/api", "report/*", "engines/*"])(files)).toEqual([
    `client/follow.ts:2  it imports engines/sigh/kind.ts, ${remedy}`,
    `controlplane/api/streams/put.ts:1  it imports client/calls.ts, which leads to engines/sigh/kind.ts, ${remedy}`,
    `report/page.ts:1  it imports engines/kinds.ts, which leads to engines/sigh/kind.ts, ${remedy}`,
    `engines/form.ts:1  it imports engines/sigh/kind.ts, ${remedy}`,
  ]);
});

test("finds a frame that has moved away", () =>
  expect(frameLaw(["cli/streams"])(kinds)).toEqual([
    "cli/streams:1  the frame has no files: correct the list of frames.",
  ]));
