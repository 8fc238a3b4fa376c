// Azure's limits of health probes. A program that passes them is refused by Azure only during the update, when its
// other resources have changed already. It is pure.
import { hole } from "./known-parts.ts";

type Fields = Readonly<Record<string, unknown>>;

const limits: Readonly<Record<string, readonly [least: number, most: number]>> = {
  initialDelaySeconds: [0, 60],
  periodSeconds: [1, 240],
  timeoutSeconds: [1, 240],
  successThreshold: [1, 10],
  terminationGracePeriodSeconds: [0, 3600],
};
/** Azure counts at most so many failures of a startup probe. */
export const startupFailuresMax = 240;
const failuresMax: Readonly<Record<string, number>> = { liveness: 30, readiness: 48, startup: startupFailuresMax };

/** Lists what Azure would refuse, in words. What a preview does not know yet is not compared. */
export function probeComplaints(template: unknown): readonly string[] {
  return listOf((template as Fields | undefined)?.["containers"]).flatMap((container) => {
    const probes = listOf(container["probes"]);
    const types = probes.map(({ type }) => String(type).toLowerCase());
    const twice = types.find((type, place) => type in failuresMax && types.indexOf(type) !== place);
    return [
      ...(twice === undefined ? [] : [`container ${container["name"]} has two ${twice} probes`]),
      ...probes.flatMap((probe) =>
        complaintsOf(probe, `the ${probe["type"] ?? "untyped"} probe of container ${container["name"]}`),
      ),
    ];
  });
}

function complaintsOf(probe: Fields, what: string): readonly string[] {
  const type = String(probe["type"]).toLowerCase();
  const most = failuresMax[type];
  const all = most === undefined ? limits : { ...limits, failureThreshold: [1, most] as const };
  const beyond = Object.entries(all).flatMap(([field, [least, greatest]]) => {
    const value = probe[field];
    return isKnown(value) && !isWithin(value, least, greatest)
      ? [`${field} of ${what} is ${value}, and must be ${least} to ${greatest}`]
      : [];
  });
  const isMany = Number(probe["successThreshold"]) > 1 && most !== undefined && type !== "readiness";
  const isGraced = typeof probe["terminationGracePeriodSeconds"] === "number" && type === "readiness";
  return [
    ...(most === undefined && probe["type"] !== hole ? [`${what} must be of type Startup, Readiness or Liveness`] : []),
    ...beyond,
    ...complaintsOfAction(probe, what),
    ...(isMany ? [`successThreshold of ${what} must be 1`] : []),
    ...(isGraced ? [`${what} cannot have terminationGracePeriodSeconds`] : []),
  ];
}

/** A port has no name: unlike Kubernetes, Azure takes numbers only. */
function complaintsOfAction({ httpGet, tcpSocket }: Fields, what: string): readonly string[] {
  const action = (httpGet ?? tcpSocket) as Fields | undefined;
  const isOne = (httpGet ?? undefined) === undefined || (tcpSocket ?? undefined) === undefined;
  if (!action || !isOne) return [`${what} needs either httpGet or tcpSocket`];
  if (action === hole) return [];
  const { port, httpHeaders } = action;
  const isPort = port === hole || (Number.isInteger(port) && isWithin(port, 1, 65_535));
  const headers = listOf(httpHeaders).filter(({ name }) => name !== hole && !/^[-A-Za-z0-9]+$/.test(String(name)));
  return [
    ...(isPort ? [] : [`port of ${what} is ${port}, and must be 1 to 65535`]),
    ...headers.map(({ name }) => `${what} has the header ${name}, which HTTP has not`),
  ];
}

const isKnown = (value: unknown): boolean => value !== undefined && value !== null && value !== hole;
const isWithin = (value: unknown, least: number, greatest: number): boolean =>
  typeof value === "number" && value >= least && value <= greatest;

const listOf = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "object" && each !== null && each !== hole) : [];
