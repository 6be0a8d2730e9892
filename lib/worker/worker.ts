/**
 * The composition root of the worker: opens queue, store, keys and log from the settings, and connects them to
 * a pipeline.
 *
 * @module
 */
import { backoff } from "../base/backoff.ts";
import { type Clock, systemClock, withTimeout } from "../base/clock.ts";
import { OperationError } from "../base/errors.ts";
import { type Settings, SettingsError } from "../config/read_settings.ts";
import { getLogger } from "../observe/log.ts";
import { MaskCache } from "../pipeline/mask_cache.ts";
import { OriginalsSealer } from "../pipeline/originals_sealer.ts";
import { type Limits, Pipeline } from "../pipeline/pipeline.ts";
import { type KeepRejected, sealRejected, sendRejected } from "../pipeline/rejections.ts";
import { createTransform } from "../pipeline/transform.ts";
import { QueueError } from "../queue/queue.ts";
import { findQueueWarnings } from "../queue/sqs/attributes.ts";
import { type OpenedSqs, openSqs } from "../queue/sqs/open_sqs.ts";
import { StoreError } from "../store/store.ts";
import type { Sealer } from "../vault/seal.ts";
import { listPersonalFields } from "./contract.ts";
import { Databases } from "./databases.ts";
import { openMasker, openSealer } from "./keys.ts";
import type { WorkerSettings } from "./settings.ts";

/** A pipeline with everything that it uses. */
export interface Worker {
  readonly pipeline: Pipeline;
  close(): Promise<void>;
}

/** Options of {@linkcode openWorker}. */
export interface WorkerOptions {
  /** End when the queue is drained. Default false. */
  readonly untilEmpty?: boolean;
  /** Stops the wait for a queue or a database that is unavailable. */
  readonly signal: AbortSignal;
}

const log = getLogger("worker");
const startLog = getLogger("start");

/** The worker was stopped before the queue and the database answered, so nothing was received. */
export class StoppedError extends OperationError {
  override readonly name = "StoppedError";
}

/**
 * Opens the queue and the databases, and wires the pipeline. It waits for whichever is unavailable.
 *
 * @throws {StoppedError} the signal aborted before both answered
 * @throws {SettingsError} a key is missing or wrong
 * @throws {QueueError | StoreError} the first failure that waiting does not fix
 * @throws {OperationError} a URL's parameter, a certificate or a key is wrong
 */
export async function openWorker(
  settings: WorkerSettings,
  options: WorkerOptions,
): Promise<Worker> {
  const databases = new Databases(settings, { connections: settings.DATABASE_CONNECTIONS });
  const { contract } = databases;
  const masker = await openMasker(settings, listPersonalFields(contract));
  const sealer = await openSealer(settings);
  const store = databases.createStore();
  // Both at once, because over a network each takes several round trips. A permanent failure of one ends the
  // wait for the other, which could last indefinitely.
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const openingQueue = waitUntilReady("the queue", () => openQueue(settings), signal);
  const preparing = waitUntilReady("the database", () => databases.prepare(), signal);
  try {
    const opening = Promise.all([openingQueue, preparing]);
    const [{ queue, attributes, deadLetter }, found] = await untilStopped(opening, options.signal);
    const warnings = [
      ...findQueueWarnings(attributes, computeLongestBatchSeconds(settings)),
      ...found,
    ];
    for (const warning of warnings) log.warn("{warning}", { warning });
    const pipeline = new Pipeline({
      queue,
      store,
      transform: createTransform(contract, new MaskCache({ masker })),
      keepRejected: createKeepRejected(settings, deadLetter, sealer),
      originals: new OriginalsSealer(sealer),
      limits: readLimits(settings),
      untilEmpty: options.untilEmpty ?? false,
    });
    log.info("Started: the queue and the database answer");
    return {
      pipeline,
      async close() {
        queue.close();
        await databases.close();
      },
    };
  } catch (error) {
    failed.abort();
    const closing = databases.close();
    // The one that is still in progress ends by its own deadline, and must not stay open after the error.
    const ended = [openingQueue.then(({ queue }) => queue.close()), preparing, closing];
    await withTimeout(Promise.allSettled(ended), settings.STOP_SECONDS * 500, systemClock);
    throw error;
  }
}

/** @throws {StoppedError} the signal aborted first */
async function untilStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const stop = () =>
    stopped.reject(new StoppedError("Stopped before the queue and the database answered"));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
    work.catch(() => {});
  }
}

function openQueue(settings: WorkerSettings): Promise<OpenedSqs> {
  return openSqs({
    url: settings.SQS_QUEUE_URL,
    deadLetterUrl: settings.SQS_DLQ_URL,
    protocol: settings.SQS_PROTOCOL,
    // Receives, deletes and extensions may be in progress at once.
    maxCalls: 2 * settings.MAX_POLLERS + 8,
  });
}

function createKeepRejected(
  { REJECTED_TO }: Settings,
  deadLetter: OpenedSqs["deadLetter"],
  sealer: Sealer | undefined,
): KeepRejected {
  if (REJECTED_TO === "queue") {
    if (!deadLetter) {
      throw new SettingsError(["SQS_DLQ_URL: is not set, and REJECTED_TO=queue requires it"]);
    }
    return sendRejected(deadLetter);
  }
  if (!sealer) throw new SettingsError(["VAULT: is off, and REJECTED_TO=table requires it"]);
  return sealRejected(sealer);
}

/** The return type makes a limit that no setting provides a type error. */
function readLimits(settings: WorkerSettings): Limits {
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

/** Computes how long a batch may take from its first message to its commit, in seconds. */
export function computeLongestBatchSeconds(
  { BATCH_MILLISECONDS, STATEMENT_SECONDS }: Settings,
): number {
  return BATCH_MILLISECONDS / 1000 + STATEMENT_SECONDS;
}

/**
 * Retries to open something until it answers: when a deployment starts, its parts become available in any order.
 *
 * @throws {QueueError | StoreError} a failure that waiting does not fix, or the signal aborted
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
      if (attempt === 1) {
        startLog.warn("Waiting for {what} ({code}). Retrying until it answers", {
          what,
          code: error.code,
        });
      }
      await clock.sleep(backoff(attempt), signal);
    }
  }
}

function isTransient(error: unknown): error is QueueError | StoreError {
  if (error instanceof StoreError) return error.kind === "transient";
  return error instanceof QueueError && error.isTransient;
}
