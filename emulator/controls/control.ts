// The emulator's own controls under `/_emulator/`: its clock, the log of requests, and injected faults. Azure has none
// of these and does not use the path; only the fixed client may call them.
import type { ArmReply, ArmRequest } from "../arm/resource.ts";
import { type Clock, makeClock } from "./clock.ts";
import { type Faults, makeFaults } from "./faults.ts";

const requestsKeptMax = 20_000;

/** One management request in the log. It holds no secrets, and of bodies only the traffic of an app. */
export interface SeenRequest {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** False when a fault lost the answer. */
  readonly answered: boolean;
  readonly traffic?: unknown;
}

/** The controls of one cloud. */
export interface Control {
  readonly clock: Clock;
  /** Answers a route under `/_emulator/`; undefined for a route that is not of these. */
  readonly answer: (request: ArmRequest) => ArmReply | undefined;
  readonly meetFault: Faults["meet"];
  readonly note: (request: ArmRequest, status: number, answered: boolean) => void;
}

/** Starts with a running clock, no fault and an empty log. `clockSet` is called after the clock was set. */
export function makeControl(clockSet: () => void = () => undefined): Control {
  const clock = makeClock();
  const faults = makeFaults();
  const seen: SeenRequest[] = [];

  const setClock = ({ body }: ArmRequest): ArmReply => {
    clock.set(body ?? {});
    clockSet();
    return { status: 200, body: clock.shown() };
  };

  return {
    clock,
    answer: (request) => {
      switch (`${request.method} ${request.path.toLowerCase()}`) {
        case "GET /_emulator/clock":
          return { status: 200, body: clock.shown() };
        case "POST /_emulator/clock":
          return setClock(request);
        case "GET /_emulator/faults":
        case "POST /_emulator/faults":
          return faults.answer(request);
        case "GET /_emulator/requests":
          return { status: 200, body: { requests: seen } };
        default:
          return undefined;
      }
    },
    meetFault: faults.meet,
    note: (request, status, answered) => {
      if (seen.length >= requestsKeptMax) seen.shift();
      const isWrite =
        (request.method === "PUT" || request.method === "PATCH") && /\/containerapps\/[^/]+$/i.test(request.path);
      const traffic = isWrite ? request.body?.["properties"]?.configuration?.ingress?.traffic : undefined;
      seen.push({
        at: new Date(clock.now()).toISOString(),
        method: request.method,
        path: request.path,
        status,
        answered,
        ...(traffic === undefined ? {} : { traffic: structuredClone(traffic) }),
      });
    },
  };
}
