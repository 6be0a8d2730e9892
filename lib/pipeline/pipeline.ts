/**
 * The road of a message: receive, decode and mask, commit in batches, delete. It knows the seams of the queue
 * and the store, and nothing of AWS or Postgres.
 *
 * @module
 */
import { type Clock, systemClock, withTimeout } from "../base/clock.ts";
import { getLogger } from "../observe/log.ts";
import type { Message, Queue } from "../queue/queue.ts";
import type { Store } from "../store/store.ts";
import { Batcher } from "./batcher.ts";
import { Committer, type Item } from "./committer.ts";
import { Counters, type CountersSnapshot } from "./counters.ts";
import { Deleter } from "./deleter.ts";
import { InFlightMessages } from "./in_flight.ts";
import { Leases } from "./leases.ts";
import type { OriginalsSealer } from "./originals_sealer.ts";
import { Outage } from "./outage.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { BUSY_WAIT_SECONDS, Receiver } from "./receiver.ts";
import type { KeepRejected } from "./rejections.ts";
import { releaseAll } from "./release.ts";
import { stopInStages } from "./stop.ts";
import type { Transformed } from "./transform.ts";

/** The limits of a pipeline. Each one is a setting. */
export interface Limits {
  readonly batchRows: number;
  readonly batchMilliseconds: number;
  readonly maxInFlight: number;
  readonly maxPollers: number;
  readonly maxMessagesPerSecond: number;
  /** Number of batches that commit in parallel. */
  readonly committers: number;
  readonly stopSeconds: number;
}

/** Options of {@linkcode Pipeline}. */
export interface PipelineOptions {
  readonly queue: Queue;
  readonly store: Store;
  readonly transform: (message: Message) => Transformed;
  readonly keepRejected: KeepRejected;
  /** Seals originals. Default: no original is stored. */
  readonly originals?: OriginalsSealer;
  readonly limits: Limits;
  /** Whether the run ends when the queue is drained. */
  readonly untilEmpty?: boolean;
  /** Default: the system clock. */
  readonly clock?: Clock;
}

/** Maximum characters of the bodies in flight: 64 messages of 1 MiB each. Estimate, not measured. */
const MAX_CHARACTERS = 64 * 1_048_576;
/** Maximum characters of a batch: 16 messages of 1 MiB each. Estimate, not measured. */
const BATCH_CHARACTERS = 16 * 1_048_576;

/** Time for an open receive to return at a stop: a few round trips. Estimate, not measured. */
const IDLE_GRACE_MS = 250;
/** The same while messages are in flight: no open receive waits longer. */
const BUSY_GRACE_MS = BUSY_WAIT_SECONDS * 1000 + IDLE_GRACE_MS;

const log = getLogger("pipeline");

/** Connects the stages: receive → transform → batch → commit → delete. */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #clock: Clock;
  readonly #counters = new Counters();
  readonly #inFlight: InFlightMessages;
  readonly #batcher: Batcher<Item>;
  readonly #outage: Outage;
  readonly #deleter: Deleter;
  readonly #receiver: Receiver;
  readonly #leases: Leases;
  /** Ends all stages except receiving. Aborted when the time to finish is over. */
  readonly #finishing = new AbortController();

  constructor(options: PipelineOptions) {
    this.#options = options;
    const { queue, store, limits, untilEmpty, clock = systemClock } = options;
    this.#clock = clock;
    const { signal } = this.#finishing;
    this.#inFlight = new InFlightMessages({
      counters: this.#counters,
      clock,
      maxMessages: limits.maxInFlight,
      maxCharacters: MAX_CHARACTERS,
    });
    this.#batcher = new Batcher({
      rows: limits.batchRows,
      weight: BATCH_CHARACTERS,
      milliseconds: limits.batchMilliseconds,
      clock,
    });
    this.#outage = new Outage({ probe: () => store.probe(), signal, clock });
    this.#deleter = new Deleter({
      queue,
      maxCalls: limits.maxPollers,
      maxPending: limits.maxInFlight,
      signal,
      clock,
    });
    this.#leases = new Leases({ queue, inFlight: this.#inFlight, signal, clock });
    this.#receiver = new Receiver({
      queue,
      inFlight: this.#inFlight,
      outage: this.#outage,
      deleter: this.#deleter,
      rateLimiter: new RateLimiter(limits.maxMessagesPerSecond, clock),
      maxPollers: limits.maxPollers,
      waitSeconds: untilEmpty ? queue.reliableWaitSeconds : queue.longestWaitSeconds,
      handle: (message) => this.#handle(message),
      isDrained: (empty) =>
        untilEmpty === true && empty >= queue.emptyReceivesWhenDrained &&
        this.#inFlight.size === 0 &&
        this.#deleter.pending === 0,
      clock,
    });
  }

  /** Returns the current counters. */
  get counters(): CountersSnapshot {
    return this.#counters.snapshot();
  }

  /** Returns the number of ignored keys that are not in the contract. */
  get unknownFields(): number {
    return this.#counters.unknownFields;
  }

  /** Whether the store was available at the last attempt. */
  get isStoreUp(): boolean {
    return !this.#outage.isActive;
  }

  /**
   * Processes messages until `signal` aborts or, with `untilEmpty`, until the queue is drained. Then
   * finishes the messages in flight, and releases those that cannot be finished within the time limit.
   *
   * @returns the final counters, with no message in flight
   * @throws {StoreError} `fatal`: all messages in flight were released and none of them was deleted
   */
  async run(signal: AbortSignal): Promise<CountersSnapshot> {
    const seconds = this.#options.limits.stopSeconds;
    if (signal.aborted) this.#receiver.stop();
    const leases = this.#leases.run();
    const receiving = this.#receiver.run();
    const committers = this.#startCommitters();
    const committing = Promise.all(committers).then(() => {});
    let remaining = seconds * 1000;
    try {
      remaining = await stopInStages({
        signal,
        receiver: this.#receiver,
        receiving,
        committing,
        // No commit can succeed during an outage, so messages in flight are released at once.
        canFinish: () => !this.#outage.isActive,
        finish: async () => {
          this.#batcher.close();
          await committing;
          await this.#deleter.waitUntilIdle();
        },
        grace: () => this.#inFlight.size > 0 ? BUSY_GRACE_MS : IDLE_GRACE_MS,
        seconds,
        clock: this.#clock,
      });
    } catch (error) {
      this.#endCommits();
      // One committer failed while others may still be committing. Their messages must be counted as
      // committed and deleted from the queue, and not be released first.
      const ended = Promise.allSettled(committers).then(() => this.#deleter.waitUntilIdle());
      await withTimeout(ended, remaining / 2, this.#clock);
      remaining /= 2;
      throw error;
    } finally {
      this.#endCommits();
      await this.#release(leases, remaining);
    }
    return this.counters;
  }

  /** Prevents further batches and ends every wait for the store. */
  #endCommits(): void {
    this.#finishing.abort();
    this.#batcher.close();
  }

  async #release(leases: Promise<void>, milliseconds: number): Promise<void> {
    const { queue } = this.#options;
    const endsAt = this.#clock.now() + milliseconds;
    // An extension that is still in progress would undo a release.
    await withTimeout(leases, milliseconds / 2, this.#clock);
    await releaseAll({
      queue,
      inFlight: this.#inFlight,
      milliseconds: endsAt - this.#clock.now(),
      clock: this.#clock,
    });
    log.info("Stopped", { ...this.counters, unknownFields: this.unknownFields });
  }

  #startCommitters(): Promise<void>[] {
    const { store, keepRejected, originals, limits } = this.#options;
    const committer = new Committer({
      batcher: this.#batcher,
      store,
      keepRejected: keepRejected,
      ...(originals ? { originals } : {}),
      inFlight: this.#inFlight,
      counters: this.#counters,
      outage: this.#outage,
      onCommitted: (entries) =>
        this.#deleter.add(entries.map(({ message, handle }) => ({ id: message.id, handle }))),
      signal: this.#finishing.signal,
    });
    return Array.from({ length: limits.committers }, () => committer.run());
  }

  #handle(message: Message): void {
    if (this.#deleter.redelete(message)) {
      this.#counters.receive();
      this.#counters.settle("duplicate");
      return;
    }
    const entry = this.#inFlight.add(message);
    if (!entry) return;
    const transformed = this.#options.transform(message);
    this.#batcher.add({ entry: entry, transformed }, message.body.length);
  }
}
