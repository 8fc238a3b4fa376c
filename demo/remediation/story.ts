// The story of the remediations: real faults strike running services, and what is done about each is verified by the
// requests since. Nothing is done about a dependency that is down for all, nor a third time about what comes back.
import { setTimeout as pause } from "node:timers/promises";
import type { WantedSecond } from "../../emulator/starvation.ts";
import type { Estate as CredentialEstate } from "../rotation/estate.ts";
import { placesIn } from "../rotation/places.ts";
import { credentialVariables } from "../rotation/planes.ts";
import { isUntold } from "../starvation.ts";
import type { Setting, Story } from "../story.ts";
import { putUpCredential } from "./credential.ts";
import { type Estate, putUp, type ServiceSpec } from "./estate.ts";
import { type Ended, followAll } from "./follow.ts";
import {
  declarationOf,
  type IncidentSpec,
  incidentsOf,
  jobName,
  queryOf,
  requestsPerSecond,
  ruleOf,
  shortIncidents,
} from "./incidents.ts";
import { type Load, startUsers, visit } from "./load.ts";
import { startPlane } from "./plane.ts";
import { type Field, strike, twinOf } from "./strike.ts";

/** The remediations, as `npm start -- --only remediation` shows them; plain `npm start` shows a short one. */
export const remediation: Story = {
  announce: ({ timeline, options }) => {
    timeline.line(
      isWhole(options)
        ? "real faults, drawn by the seed; for each the alert, the guards, the action and its verification:"
        : "one incident and its remediation; `npm start -- --only remediation` shows them all",
    );
    for (const { title } of incidentsFor(options)) timeline.line(`  ${title}`);
    timeline.line("times of the demo: rules of a minute, verification within 13 s; default on Azure: 10 minutes");
  },
  show,
  ahead,
  invite: async ({ timeline }) => timeline.line("    (the control plane of the remediations has ended with its story)"),
};

const isWhole = ({ only }: Pick<Setting["options"], "only">): boolean => only === "remediation";
const incidentsFor = (options: Setting["options"], credential?: string): readonly IncidentSpec[] =>
  isWhole(options) ? incidentsOf(options.seed, credential) : shortIncidents();

/** Begins while other stories are shown: a rule of a minute fires a minute after it was written at the soonest. */
function ahead(setting: Setting): () => Promise<object> {
  const { timeline, release } = setting.timeline.held();
  const over = new AbortController();
  const shown = show({ ...setting, timeline, stop: AbortSignal.any([setting.stop, over.signal]) });
  shown.catch(() => undefined); // whoever shows it hears of it
  setting.atEnd(async () => {
    over.abort();
    await shown.catch(() => undefined);
  });
  return () => {
    release();
    return shown;
  };
}

async function show(setting: Setting): Promise<object> {
  const ends: (() => Promise<unknown>)[] = [];
  const over = new AbortController();
  try {
    const stop = AbortSignal.any([setting.stop, over.signal]);
    return await showAll({ ...setting, stop }, (end) => void ends.push(end));
  } finally {
    over.abort(); // what runs beside the others waits no longer
    for (const end of ends.reverse()) await end();
  }
}

/** Puts everything up and plays the incidents. @param atEnd takes what takes a part down again, the last one first */
async function showAll(setting: Setting, atEnd: (end: () => Promise<unknown>) => void): Promise<object> {
  const { timeline, ground, options, generator, stop } = setting;
  timeline.chapter(
    isWhole(options)
      ? "Remediations: services on a database, with an alert rule each"
      : "Meanwhile: an incident, its alert, and what is done about it",
  );
  const credential = isWhole(options) ? await putUpCredential(setting) : undefined;
  if (credential !== undefined) atEnd(credential.close);
  const incidents = incidentsFor(options, credential && nameIn(credential));
  const estate = await putUp(ground, credential && logsOf(credential));
  atEnd(estate.close);
  const loads = new Map<string, Load>();
  const origins = new Map<string, string>();
  const begin = async (specs: readonly ServiceSpec[]): Promise<void> => {
    const put = async (spec: ServiceSpec) => (spec.group === undefined ? estate.put(spec) : credential!.origin);
    await Promise.all(specs.map(async (spec) => origins.set(spec.name, await put(spec))));
    for (const { name } of specs) loads.set(name, startUsers(ground.cloud, origins.get(name)!, noteSecond));
  };
  const noteSecond = (second: WantedSecond): void => void generator.push(second);
  if (incidents.some(({ kind }) => kind === "blocked")) await estate.putJob(jobName, "story");
  for (const spec of incidents) await estate.rule(ruleOf(spec.kind), queryOf(spec));
  const ruledAt = Date.now();
  const apps = incidents.flatMap(({ services }) => services);
  const more = credential && credentialVariables(credential);
  const plane = await startPlane(estate, apps, declarationOf(incidents), stop, more);
  atEnd(plane.close);
  atEnd(() => Promise.all([...loads.values()].map((load) => load.stop().catch(() => undefined))));
  timeline.line(`${requestsPerSecond} requests a second to each service, none of them retried`);
  const field: Field = {
    estate,
    plane,
    stop,
    credential,
    loadOf: (service) => loads.get(service)!,
    visit: (service, path) => visit(ground.cloud, `${origins.get(service)}${path}`),
  };
  const stage: Stage = { setting, field, estate, loads, begin, ruledAt };
  const meanwhile = Promise.all(incidents.filter(({ isBeside }) => isBeside).map((each) => play(stage, each)));
  meanwhile.catch(() => undefined); // it is awaited below, also if another incident fails
  const played: object[] = [];
  for (const incident of incidents.filter(({ isBeside }) => !isBeside)) played.push(await play(stage, incident));
  return { remediation: [...played, ...(await meanwhile)] };
}

/** Gives the name by which a runbook knows the credential. */
const nameIn = ({ credential: { vault, credential } }: CredentialEstate): string => `${vault}/${credential}`;

const logsOf = ({ cloud, workspace }: CredentialEstate) => ({
  workspaceId: placesIn(cloud.subscription).workspace,
  workspace,
});

interface Stage {
  readonly setting: Setting;
  readonly field: Field;
  readonly estate: Estate;
  readonly loads: Map<string, Load>;
  readonly begin: (specs: readonly ServiceSpec[]) => Promise<void>;
  /** When the rules were written: each is evaluated every minute from then on. */
  readonly ruledAt: number;
}

/** How long users are counted after the end of an incident that has a twin, if its story is told whole. */
const afterSeconds = 30;
/** In the short story the fault strikes this long before its rule is evaluated, so that nobody waits for a minute. */
const beforeLookSeconds = 10;
/** How long an incident may take: the returning fault needs three alerts. */
const secondsMax = 900;

/** Puts the services up, lets the fault strike, follows what is done about it, and accounts for it. */
async function play(stage: Stage, incident: IncidentSpec): Promise<object> {
  const { field, begin, loads, setting } = stage;
  const { timeline } = setting;
  const { kind, title, services, hasTwin } = incident;
  // The release that fails is not the first one.
  const first = kind === "late" ? services.map(({ fault: _fault, ...spec }) => spec) : services;
  timeline.line(`${title}: ${services.map(({ name }) => name).join(", ")}`, "bold");
  await begin([...first, ...(hasTwin ? first.map(twinOf) : [])]);
  if (!isWhole(setting.options)) await shortlyBeforeLook(stage);
  const struck = await strike(field, incident);
  timeline.line(`${title}: users feel it now`, "red");
  try {
    const ended = await followAll(field.plane, timeline, incident, secondsMax);
    // A repair pays from its end on, so its users are counted for a while longer, as are those of the twin.
    if (hasTwin && isWhole(setting.options)) await pause(afterSeconds * 1000);
    const to = Date.now();
    const failed = services.reduce((sum, { name }) => sum + loads.get(name)!.failed(struck.at, to), 0);
    const without = hasTwin ? loads.get(twinOf(services[0]!).name)!.failed(struck.at, to) : null;
    await check(stage, incident, ended, { failed, without, spoilt: await setting.wasStarved(struck.at, to) });
    return recordOf(incident, ended, struck.at, { failed, without });
  } finally {
    await struck.end();
    for (const { name } of services.flatMap((spec) => [spec, twinOf(spec)])) {
      await loads.get(name)?.stop();
      loads.delete(name);
    }
  }
}

/** Waits until the next evaluation of the rules is near. */
async function shortlyBeforeLook({ ruledAt, setting: { timeline, stop } }: Stage): Promise<void> {
  const sinceLook = (Date.now() - ruledAt) % 60_000;
  const wait = 60_000 - beforeLookSeconds * 1000 - sinceLook;
  timeline.line("the rule is evaluated once a minute");
  await pause(wait < 0 ? wait + 60_000 : wait, undefined, { signal: stop });
}

interface Failed {
  readonly failed: number;
  /** Those of the twin, about which nothing was done; null without one. */
  readonly without: number | null;
}

/**
 * Checks what docs/start/demo.md promises of an incident. A machine that was too busy may excuse what was not known in
 * time, and how many requests failed, but no result that was found out.
 */
async function check(
  { setting: { timeline, emulator } }: Stage,
  { kind, title, services, expected }: IncidentSpec,
  ended: readonly Ended[],
  { failed, without, spoilt }: Failed & { readonly spoilt: boolean },
): Promise<void> {
  const sorted = (all: readonly Pick<Ended, "result" | "reason">[]): string =>
    all
      .map(({ result, reason }) => `${result}: ${reason}`)
      .toSorted()
      .join(", ");
  timeline.check(sorted(ended) === sorted(expected), `${title}: ${sorted(ended)}`, spoilt && isUntold(ended, expected));
  const names = services.map(({ name }) => name);
  const restarts = (await emulator.asked()).filter(
    ({ method, path }) =>
      method === "POST" && /\/restart/.test(path) && names.some((name) => path.includes(`/${name}/`)),
  ).length;
  if (kind === "dependency") timeline.check(restarts === 0, `${restarts} restarts while the dependency was down`);
  if (kind === "returning") timeline.check(restarts === 2, `${restarts} restarts, then an open circuit and one call`);
  if (without !== null)
    timeline.check(
      failed < without,
      `${failed} requests failed; without automation ${without} did in the same time`,
      spoilt,
    );
  else timeline.line(`${failed} requests failed`);
}

const seconds = (from: number, to: number | undefined): number | null =>
  to === undefined ? null : Math.round((to - from) / 100) / 10;

/** The incident's part of out/demo.json. */
const recordOf = (
  { kind, title }: IncidentSpec,
  ended: readonly Ended[],
  struckAt: number,
  counts: Failed,
): object => ({
  kind,
  title,
  failedRequests: counts.failed,
  failedRequestsWithoutAutomation: counts.without,
  remediations: ended.map(({ firedAt, actedAt, finishedAt, ...rest }) => ({
    ...rest,
    secondsToDetect: seconds(struckAt, firedAt),
    secondsToAct: actedAt === undefined ? null : seconds(firedAt, actedAt),
    secondsToVerify: actedAt === undefined ? null : seconds(actedAt, finishedAt),
  })),
});
