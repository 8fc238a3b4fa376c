// What `credential-rotate` and `credential-back` do, as cases.ts says of the others.
import { type Case, checkout, closed, onEnvironment, opened, trace } from "./case.ts";
import type { Run } from "./run-act.ts";

const rotationRun = (workflow: string, outcomes: Run["outcomes"] = {}, more: Run["inputs"] = {}): Run => ({
  workflow,
  inputs: {
    ...onEnvironment,
    ...more,
    credential: "shop-kv/database",
    ...(workflow === "credential-back" && { rotation: "1" }),
  },
  outcomes,
});
const rotate = "ballast credential rotate shop-kv/database --name 1 --message rotated by a workflow --stack prod";
const followRotation = "ballast credential follow shop-kv/database/1 --stack prod";
const rotated = [`${rotate} (traced)`, `${followRotation} (traced)`];
const backRotation = [
  "ballast credential back shop-kv/database/1 --message taken back by a workflow --stack prod",
  followRotation,
  "ballast credential show shop-kv/database/1 --stack prod --json",
];
const rotationKey = "credential-rotate/prod/shop-kv/database";
const shownAs = (result: string) => ({ "ballast-credential-show": `echo '{"result":"${result}"}'` });

export const rotations: readonly Case[] = [
  {
    title: "a rotation has the name of its run, and is followed to its end",
    run: rotationRun("credential-rotate"),
    isSuccess: true,
    journal: [checkout, ...rotated, closed(rotationKey), "actions/upload-artifact credential-rotate-prod"],
    outputs: ['"rotation": "1"', '"result": "success"'],
    summary: `The rotation of \`shop-kv/database\` in \`prod\`: success. Trace: \`${trace}\`.`,
  },
  {
    title: "a leaked password is rotated as one",
    run: rotationRun("credential-rotate", {}, { leaked: "true", reason: "it was in a log" }),
    isSuccess: true,
    journal: [
      checkout,
      `${rotate.replace("rotated by a workflow", "it was in a log")} --leaked (traced)`,
      `${followRotation} (traced)`,
      closed(rotationKey),
      "actions/upload-artifact credential-rotate-prod",
    ],
  },
  {
    title: "a rotation that stops keeps what was printed, and an issue is opened",
    run: rotationRun("credential-rotate", { "ballast-credential-follow": "echo stopped; exit 1" }),
    isSuccess: false,
    journal: [
      checkout,
      ...rotated,
      opened(rotationKey, "The rotation of shop-kv/database in prod did not end well", "rotation.txt"),
      "actions/upload-artifact credential-rotate-prod",
    ],
  },
  {
    title: "a rotation that was taken back is a success, although following it is none",
    run: rotationRun("credential-back", { "ballast-credential-follow": "exit 1", ...shownAs("returned") }),
    isSuccess: true,
    journal: [
      checkout,
      ...backRotation,
      closed("credential-back/prod/shop-kv/database"),
      "actions/upload-artifact credential-back-prod",
    ],
  },
  {
    title: "a rotation that could not be taken back opens an issue",
    run: rotationRun("credential-back", shownAs("degraded")),
    isSuccess: false,
    journal: [
      checkout,
      ...backRotation,
      opened(
        "credential-back/prod/shop-kv/database",
        "shop-kv/database in prod could not be taken back",
        "rotation.txt",
      ),
      "actions/upload-artifact credential-back-prod",
    ],
  },
];
