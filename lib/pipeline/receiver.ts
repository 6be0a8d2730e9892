import { backoff } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { getLogger } from "../observe/log.ts";
import { type Message, type Queue, QueueError } from "../queue/queue.ts";
import type { Deleter } from "./deleter.ts";
import type { InFlightMessages } from "./in_flight.ts";
import type { Outage } from "./outage.ts";
import type { RateLimiter } from "./rate_limiter.ts";

/** Options of {@linkcode Receiver}. */
export interface ReceiverOptions {
  readonly queue: Queue;
  readonly inFlight: InFlightMessages;
  readonly outage: Outage;
  readonly rateLimiter: RateLimiter;
  readonly deleter: Pick<Deleter, "waitForCapacity">;
  readonly maxPollers: number;
  /** How long a receive waits for a first message while none is in flight, in seconds. */
  readonly waitSeconds: number;
  /** Processes a received message. The pipeline must settle every message that it receives here. */
  readonly handle: (message: Message) => void;
  /** Decides after an empty receive of the only poller whether to end. Default: never. */
  readonly isDrained?: (emptyInARow: number) => boolean;
  readonly clock?: Clock;
}

/**
 * Minimum time between two empty answers, in milliseconds. SQS waits for a first message, an emulator
 * may not. Estimate, not measured: ten calls per second are harmless.
 */
const MIN_EMPTY_POLL_MS = 100;

/**
 * How long a receive waits while messages are in flight, in seconds. A stop waits for the receive to end,
 * because an aborted receive can take messages that were just released (see `stop.ts`).
 */
export const BUSY_WAIT_SECONDS = 1;

const log = getLogger("receiver");

/**
 * Receives messages by one long poll at a time while the queue is empty, and by parallel polls while it
 * is full. Before each receive, the store must be available, deletes must not lag behind, capacity for
 * the messages must be reserved, and the rate limiter must allow it.
 */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #clock: Clock;
  /** Ends the wait before a receive and prevents further receives. */
  readonly #stopping = new AbortController();
  /** Aborts the receives in progress. */
  readonly #aborting = new AbortController();
  readonly #pollers = new Set<Promise<void>>();
  /** Number of pollers that continue. Lower than the set's size until retired ones settle. */
  #active = 0;
  /**
   * Settles with the last poller. `Promise.race` is no alternative: a promise that stays pending keeps
   * 300 bytes for each race that it takes part in.
   */
  readonly #ended = Promise.withResolvers<void>();
  #failures = 0;
  #empty = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Receives until it is stopped or the queue is drained.
   *
   * @throws what `handle` throws: no further message is received then
   */
  async run(): Promise<void> {
    this.#spawn();
    try {
      await this.#ended.promise;
    } catch (error) {
      this.stop();
      this.abort();
      await Promise.allSettled(this.#pollers);
      throw error;
    }
  }

  /** Prevents further receives. The receives in progress can still return messages. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Also aborts the receives in progress. */
  abort(): void {
    this.#stopping.abort();
    this.#aborting.abort();
  }

  #spawn(): void {
    this.#active++;
    const poller = this.#poll().then(() => {
      this.#pollers.delete(poller);
      if (this.#pollers.size === 0) this.#ended.resolve();
    }, this.#ended.reject);
    this.#pollers.add(poller);
  }

  async #poll(): Promise<void> {
    const { queue, maxPollers, isDrained } = this.#options;
    const stopping = this.#stopping.signal;
    while (!stopping.aborted) {
      const startedAt = this.#clock.now();
      const count = await this.#receive();
      if (count === undefined) continue;
      if (count > 0) this.#empty = 0;
      if (count >= queue.batchSize && this.#active < maxPollers) this.#spawn();
      if (count > 0) continue;
      // The queue is empty: all pollers but one retire, so that an idle worker makes one call at a time.
      if (this.#active > 1) {
        this.#active--;
        return;
      }
      if (isDrained?.(++this.#empty)) return;
      const early = startedAt + MIN_EMPTY_POLL_MS - this.#clock.now();
      if (early > 0) await this.#clock.sleep(early, stopping);
    }
  }

  /** Receives once. Returns the number of messages, or undefined if no receive succeeded. */
  async #receive(): Promise<number | undefined> {
    const { queue, inFlight, outage, deleter, rateLimiter, waitSeconds, handle } = this.#options;
    const stopping = this.#stopping.signal;
    await outage.waitUntilUp(stopping);
    await deleter.waitForCapacity(stopping);
    if (!await inFlight.reserve(queue.batchSize, stopping)) return undefined;
    let unused = queue.batchSize;
    try {
      await rateLimiter.take(queue.batchSize, stopping);
      if (stopping.aborted || outage.isActive) return undefined;
      const messages = await queue.receive({
        waitSeconds: inFlight.size > 0 ? Math.min(waitSeconds, BUSY_WAIT_SECONDS) : waitSeconds,
        signal: this.#aborting.signal,
      });
      this.#failures = 0;
      unused -= messages.length;
      for (const message of messages) handle(message);
      return messages.length;
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      if (!this.#aborting.signal.aborted) await this.#waitAfter(error);
      return undefined;
    } finally {
      // Refunds a failed receive too. Otherwise every failure would reduce the rate.
      rateLimiter.refund(unused);
      inFlight.release(queue.batchSize);
    }
  }

  async #waitAfter(error: QueueError): Promise<void> {
    this.#failures++;
    if (this.#failures === 1) {
      log.warn("The queue is unavailable ({code}). Retrying", { code: error.code });
    }
    await this.#clock.sleep(backoff(this.#failures), this.#stopping.signal);
  }
}
