import { createMasker } from "../mask/mask.ts";
import { getLogger } from "../observe/log.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import { sealBodies, sendBodies, type SetAside } from "../pipeline/set_aside.ts";
import { createTransform } from "../pipeline/transform.ts";
import { type OpenedSqs, openSqs } from "../queue/open_sqs.ts";
import { checkSchema } from "../store/check_schema.ts";
import { durabilityWarnings } from "../store/durability.ts";
import { openDatabase } from "../store/postgres.ts";
import { PostgresStore } from "../store/postgres_store.ts";
import { createSealer } from "../vault/seal.ts";
import { type Settings, SettingsError } from "../config/read_settings.ts";
import { contractOf } from "./contract_of.ts";
import type { WorkerSettings } from "./settings.ts";
import { storedTableOf } from "./stored_table_of.ts";
import { untilReady } from "./until_ready.ts";
import { warningsOf } from "./queue_warnings.ts";

/** A pipeline with everything that it stands on. */
export interface Worker {
  readonly pipeline: Pipeline;
  readonly opened: OpenedSqs;
  close(): Promise<void>;
}

/** Options of {@linkcode openWorker}. */
export interface WorkerOptions {
  readonly untilEmpty?: boolean;
  /** Gives up waiting for a queue or a database that is away. */
  readonly signal: AbortSignal;
}

const log = getLogger("worker");

/**
 * Opens the queue and the database and wires the pipeline. Either may be away at first: it waits.
 *
 * @throws {QueueError | StoreError} a fault that waiting does not mend
 */
export async function openWorker(
  settings: WorkerSettings,
  options: WorkerOptions,
): Promise<Worker> {
  const contract = contractOf(settings);
  const fields = contract.fields.filter(({ personal }) => personal).map(({ name }) => name);
  const masker = await createMasker(settings.MASK_KEY, fields);
  const sealing = await sealerOf(settings);
  const database = openDatabase({
    url: settings.DATABASE_URL,
    connections: settings.DATABASE_CONNECTIONS,
    statementSeconds: settings.STATEMENT_SECONDS,
  });
  let opened: OpenedSqs | undefined;
  try {
    const table = storedTableOf(contract);
    await untilReady("the database", () => checkSchema(database, table), options.signal);
    opened = await untilReady("the queue", () => openQueue(settings), options.signal);
    const warnings = [
      ...warningsOf(opened.attributes, settings),
      ...await untilReady("the database", () => durabilityWarnings(database), options.signal),
    ];
    for (const warning of warnings) log.warn("{warning}", { warning });
    const pipeline = new Pipeline({
      queue: opened.queue,
      store: new PostgresStore(database, table, {
        dedupe: contract.dedupeField !== undefined,
      }),
      transform: createTransform(contract, masker),
      setAside: sealing ?? sendTo(opened),
      limits: limitsOf(settings),
      untilEmpty: options.untilEmpty ?? false,
    });
    const { queue } = opened;
    log.info("Started: the queue and the database answer");
    return {
      pipeline,
      opened,
      async close() {
        queue.close();
        await database.close();
      },
    };
  } catch (error) {
    opened?.queue.close();
    await database.close();
    throw error;
  }
}

function openQueue(settings: WorkerSettings): Promise<OpenedSqs> {
  return openSqs({
    url: settings.SQS_QUEUE_URL,
    deadLetterUrl: settings.SQS_DLQ_URL,
    protocol: settings.SQS_PROTOCOL,
    // Receives, deletes and extensions may all be under way at once.
    maxCalls: 2 * settings.MAX_POLLERS + 8,
  });
}

async function sealerOf(settings: Settings): Promise<SetAside | undefined> {
  if (settings.REJECTED_TO === "queue") return undefined;
  const key = settings.VAULT_PUBLIC_KEY?.[0];
  if (!key) throw new SettingsError(["VAULT_PUBLIC_KEY: is not set"]);
  return sealBodies(await createSealer(key));
}

function sendTo({ deadLetter }: OpenedSqs): SetAside {
  if (!deadLetter) throw new SettingsError(["SQS_DLQ_URL: is not set"]);
  return sendBodies(deadLetter);
}

function limitsOf(settings: WorkerSettings) {
  return {
    batchRows: settings.BATCH_ROWS,
    batchMilliseconds: settings.BATCH_MILLISECONDS,
    maxInFlight: settings.MAX_IN_FLIGHT,
    maxPollers: settings.MAX_POLLERS,
    maxMessagesPerSecond: settings.MAX_MESSAGES_PER_SECOND,
    committers: settings.DATABASE_CONNECTIONS,
    stopSeconds: settings.STOP_SECONDS,
  };
}
