// Lets a virtual clock wait for real input and output: it goes on only once no call of the counted ports is under way,
// so that real stores take no virtual time.
import type { Journal } from "../../../controlplane/runtime/ports.ts";

/** Counts the calls under way. */
export interface CountedIo {
  /** Makes a port whose calls are counted until they are answered. */
  readonly counted: <Port extends object>(port: Port) => Port;
  /** Makes ports whose calls are counted, and those of the ports within them. */
  readonly countedAll: <Ports extends object>(ports: Ports) => Ports;
  /** Counts a journal's calls. A wait for growth counts from the moment at which its stream has grown. */
  readonly countedJournal: <Kept extends Journal<any>>(journal: Kept) => Kept;
  /** Goes on once nothing is under way. */
  readonly settle: (goOn: () => void) => void;
}

/** Begins to count. */
export function countIo(): CountedIo {
  let underWay = 0;
  let changed = Promise.withResolvers<void>();
  const lengths = new Map<string, number>();
  const waits = new Set<{ readonly stream: string; readonly length: number; readonly cancel: AbortSignal }>();
  const isBusy = (): boolean =>
    underWay > 0 ||
    [...waits].some(({ stream, length, cancel }) => cancel.aborted || (lengths.get(stream) ?? 0) > length);
  const tell = (): void => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const until = <Value>(answer: Promise<Value>): Promise<Value> => {
    underWay += 1;
    return answer.finally(() => {
      underWay -= 1;
      tell();
    });
  };
  const counted: CountedIo["counted"] = (port) =>
    new Proxy(port, {
      get: (of, name) => {
        const own: unknown = Reflect.get(of, name);
        if (typeof own !== "function") return own;
        return (...args: readonly unknown[]) => {
          const answer: unknown = own.apply(of, args);
          return answer instanceof Promise ? until(answer) : answer;
        };
      },
    });
  const countedAll = <Ports extends object>(ports: Ports): Ports =>
    Object.fromEntries(
      Object.entries(ports).map(([name, port]) => [
        name,
        typeof port === "object" ? counted(countedAll(port as object)) : port,
      ]),
    ) as Ports;
  const settled = async (): Promise<void> => {
    do {
      while (isBusy()) await changed.promise;
      // What was answered may ask again at once; a turn of the event loop has let it.
      await new Promise((resolve) => setImmediate(resolve));
    } while (isBusy());
  };
  return {
    counted,
    countedAll,
    countedJournal: (journal) => {
      const append: Journal<any>["append"] = async (stream, on, events, pen) => {
        const appended = await journal.append(stream, on, events, pen);
        if (appended === "appended") lengths.set(stream, on.length + events.length);
        return appended;
      };
      const grown: Journal<any>["grown"] = async (stream, length, cancel) => {
        const wait = { stream, length, cancel };
        waits.add(wait);
        await journal.grown(stream, length, cancel);
        waits.delete(wait);
        tell();
      };
      return { ...counted({ ...journal, append }), grown };
    },
    settle: (goOn) => void settled().then(goOn),
  };
}
