import { backoff } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { type Settings, SettingsError } from "../config/read_settings.ts";
import { createFastMasker } from "../mask/fast_mask.ts";
import { getLogger } from "../observe/log.ts";
import { MaskCache } from "../pipeline/mask_cache.ts";
import { OriginalsSealer } from "../pipeline/originals_sealer.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import { type KeepRejected, sealRejected, sendRejected } from "../pipeline/rejections.ts";
import { createTransform } from "../pipeline/transform.ts";
import { QueueError } from "../queue/queue.ts";
import { findQueueWarnings } from "../queue/sqs/attributes.ts";
import { type OpenedSqs, openSqs } from "../queue/sqs/open_sqs.ts";
import { StoreError } from "../store/store.ts";
import { createSealer, DATA_KEY_LIFETIME_MS, type Sealer } from "../vault/seal.ts";
import { selectContract, toStoredTable } from "./contract.ts";
import { openStore } from "./databases.ts";
import { createMaskerOptions } from "./keys.ts";
import type { WorkerSettings } from "./settings.ts";

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
 * @throws {QueueError | StoreError} a fault that waiting does not mend, of whichever told of one first
 */
export async function openWorker(
  settings: WorkerSettings,
  options: WorkerOptions,
): Promise<Worker> {
  const contract = selectContract(settings);
  const fields = contract.fields.filter(({ personal }) => personal).map(({ name }) => name);
  const masker = await createFastMasker(createMaskerOptions(settings.MASK_KEY, fields, settings));
  const sealer = await createWorkerSealer(settings);
  const { store, prepare } = openStore(settings, toStoredTable(contract), {
    dedupe: contract.dedupeField !== undefined,
  });
  // At the same time: over a network each takes several round trips. One that fails for good ends the
  // other's waiting, which could be for ever.
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const openingQueue = waitUntilReady("the queue", () => openQueue(settings), signal);
  const preparing = waitUntilReady("the database", prepare, signal);
  try {
    const [opened, found] = await Promise.all([openingQueue, preparing]);
    const warnings = [
      ...findQueueWarnings(opened.attributes, longestBatchSeconds(settings)),
      ...found,
    ];
    for (const warning of warnings) log.warn("{warning}", { warning });
    const pipeline = new Pipeline({
      queue: opened.queue,
      store,
      transform: createTransform(contract, new MaskCache({ masker })),
      keepRejected: createKeepRejected(settings, opened, sealer),
      originals: new OriginalsSealer(sealer),
      limits: readLimits(settings),
      untilEmpty: options.untilEmpty ?? false,
    });
    const { queue } = opened;
    log.info("Started: the queue and the database answer");
    return {
      pipeline,
      opened,
      async close() {
        queue.close();
        await store.close();
      },
    };
  } catch (error) {
    failed.abort();
    const closing = store.close();
    // Whichever still is under way ends by its own deadline, and must not stay open behind the error.
    await Promise.allSettled([openingQueue.then(({ queue }) => queue.close()), preparing, closing]);
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

async function createWorkerSealer(
  { VAULT, VAULT_PUBLIC_KEY }: Settings,
): Promise<Sealer | undefined> {
  if (VAULT === "off") return undefined;
  const key = VAULT_PUBLIC_KEY?.[0];
  if (!key) throw new SettingsError(["VAULT_PUBLIC_KEY: is not set"]);
  return await createSealer(key, { dataKeyMilliseconds: DATA_KEY_LIFETIME_MS });
}

function createKeepRejected(
  { REJECTED_TO }: Settings,
  { deadLetter }: OpenedSqs,
  sealer: Sealer | undefined,
): KeepRejected {
  if (REJECTED_TO === "queue") {
    if (!deadLetter) throw new SettingsError(["SQS_DLQ_URL: is not set"]);
    return sendRejected(deadLetter);
  }
  if (!sealer) throw new SettingsError(["VAULT: is off, and REJECTED_TO=table needs it"]);
  return sealRejected(sealer);
}

function readLimits(settings: WorkerSettings) {
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

const waitingLog = getLogger("start");

/**
 * Tries to open something until it answers: at a start-up all parts of a deployment come up together,
 * in any order.
 *
 * @throws {QueueError | StoreError} a fault that waiting does not mend, or the signal aborted
 */
export async function waitUntilReady<T>(
  what: string,
  open: () => Promise<T>,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await open();
    } catch (error) {
      if (!isTransient(error) || signal.aborted) throw error;
      if (attempt === 1) waitingLog.warn("Waiting for {what}: {code}", { what, code: error.code });
      await clock.sleep(backoff(attempt), signal);
    }
  }
}

/** How long a batch may take from its first message to its commit, in seconds. */
export function longestBatchSeconds(
  { BATCH_MILLISECONDS, STATEMENT_SECONDS }: Settings,
): number {
  return BATCH_MILLISECONDS / 1000 + STATEMENT_SECONDS;
}

function isTransient(error: unknown): error is QueueError | StoreError {
  if (error instanceof StoreError) return error.kind === "transient";
  return error instanceof QueueError && error.isTransient;
}
