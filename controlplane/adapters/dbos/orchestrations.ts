// Passes as DBOS workflows, kept in PostgreSQL. DBOS records each step of a pass, so that the process that continues
// a pass after a death gets what the dead one recorded. A process has one DBOS.
import { AsyncLocalStorage } from "node:async_hooks";
import { DBOS, type DBOSConfig, Error as DbosErrors } from "@dbos-inc/dbos-sdk";
import type { Orchestrations } from "../../runtime/ports.ts";

/** What DBOS needs. */
export interface DbosSetting {
  /** Connections to the database in which DBOS keeps passes. The caller closes it, after us. */
  readonly pool: NonNullable<DBOSConfig["systemDatabasePool"]>;
  /** Names this process, uniquely for all time. */
  readonly process: string;
  /** Receives DBOS's warnings and errors. */
  readonly log: (message: string) => void;
}

/** Equal in all versions: with another value, a deployment could not resume the passes of the previous version. */
const applicationVersion = "1";

const passId = (stream: string, length: number): string => `${stream}#${length}`;
const lengthIn = (id: string): number => Number(id.slice(id.lastIndexOf("#") + 1));

/** Opens the orchestrations. Nothing is started before `launch`. */
export function openOrchestrations({ pool, process, log }: DbosSetting): Orchestrations {
  const queue = `passes of ${process}`;
  // A pass may ask for other streams. Without this, DBOS would take the passes of those for parts of this one.
  const outsideAnyPass = AsyncLocalStorage.snapshot();
  let registered: (stream: string, length: number) => Promise<void>;

  /**
   * Resumes a pass here that another process began. Only we listen to our queue, so no other process can pick it up.
   */
  async function resume(id: string): Promise<void> {
    await DBOS.registerQueue(queue, { minPollingIntervalMs: 100, onConflict: "always_update" });
    const handle = await DBOS.resumeWorkflow<void>(id, { queueName: queue });
    await handle.getResult({ pollingIntervalMs: 50 });
  }

  async function begin(stream: string, length: number): Promise<"done" | "open" | "ended"> {
    try {
      const workflowID = passId(stream, length);
      const start = DBOS.startWorkflow(registered, { workflowID, workflowIDReusePolicy: "reject" });
      await (await start(stream, length)).getResult();
      return "done";
    } catch (error) {
      if (!(error instanceof DbosErrors.DBOSWorkflowIDInUseError)) throw error;
      return isOpen(error.status) ? "open" : "ended";
    }
  }

  const ofStream = async (stream: string) =>
    (await DBOS.listWorkflows({ workflow_id_prefix: `${stream}#`, loadInput: false, loadOutput: false })).filter(
      ({ workflowID }) => workflowID.startsWith(`${stream}#`),
    );

  return {
    launch: async (pass) => {
      DBOS.setConfig({
        name: "ballast",
        systemDatabasePool: pool,
        executorID: process,
        applicationVersion,
        listenQueues: [queue],
        useListenNotify: false,
        logger: dbosLogger(log),
      });
      registered = DBOS.registerWorkflow(
        (stream: string, length: number) =>
          pass(stream, length, (name, act, patience) => DBOS.runStep(act, { name, ...retries(patience) })),
        { name: "pass" },
      );
      await DBOS.launch();
    },
    begin: (stream, length) => outsideAnyPass(begin, stream, length),
    resume: (stream, length) => outsideAnyPass(resume, passId(stream, length)),
    open: (stream) =>
      outsideAnyPass(async () =>
        (await ofStream(stream))
          .filter(({ status }) => isOpen(status))
          .map(({ workflowID }) => lengthIn(workflowID))
          .toSorted((one, other) => one - other),
      ),
    forget: (stream, length) => outsideAnyPass(() => DBOS.deleteWorkflow(passId(stream, length))),
    forgetAll: (stream) =>
      outsideAnyPass(async () => DBOS.deleteWorkflows((await ofStream(stream)).map(({ workflowID }) => workflowID))),
    close: async () => {
      await DBOS.deleteQueue(queue).catch(() => undefined);
      await DBOS.shutdown({ deregister: true });
    },
  };
}

const isOpen = (status: string): boolean => status !== "SUCCESS" && status !== "ERROR";

const retries = (patience: Parameters<Parameters<Parameters<Orchestrations["launch"]>[0]>[2]>[2]) =>
  patience && {
    retriesAllowed: true,
    maxAttempts: patience.attemptsMax,
    intervalSeconds: patience.firstRestSeconds,
    backoffRate: patience.backoffRate,
  };

/** Passes on warnings and errors of DBOS, but not its information. */
const dbosLogger = (log: (message: string) => void): NonNullable<DBOSConfig["logger"]> => ({
  info: () => {},
  debug: () => {},
  warn: (entry) => log(`DBOS: ${wording(entry)}`),
  error: (entry) => log(`DBOS: ${wording(entry)}`),
});

const wording = (entry: unknown): string => (entry instanceof Error ? entry.message : String(entry));

/**
 * Creates or updates the tables in which DBOS keeps passes, under a role that may do so. It runs no pass.
 *
 * @param url Address, database, role and password in one, as DBOS requires.
 */
export const prepareDbos = (url: string): Promise<void> => DBOS.migrate(url);
