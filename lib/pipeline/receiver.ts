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
  /** Seconds that a receive waits for a first message while nothing is held. */
  readonly waitSeconds: number;
  /** Takes what came. Everything it gets is already the pipeline's to settle. */
  readonly handle: (message: Message) => void;
  /** Asked after an empty receive of the only poller: whether to end. Never, by default. */
  readonly isDrained?: (emptyInARow: number) => boolean;
  readonly clock?: Clock;
}

/**
 * The least time between two empty answers, in milliseconds, for a queue that does not wait for a first
 * message: SQS waits, a substitute may not. A guess: ten calls a second harm nobody.
 */
const MIN_EMPTY_POLL_MS = 100;

/**
 * How long a receive waits while something is held, in seconds: a stop waits for it to end, because one
 * that is given up may swallow what is released (see `stop.ts`).
 */
export const BUSY_WAIT_SECONDS = 1;

const log = getLogger("receiver");

/**
 * Receives: one long poll at a time while the queue is empty, more side by side while it is full. Before
 * each receive there must be room to hold what it may bring, the store must be there, deletes must not
 * lag behind, and the pace must allow it.
 */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #clock: Clock;
  /** Ends the waiting before a receive; no further one starts. */
  readonly #stopping = new AbortController();
  /** Ends the receives under way. */
  readonly #aborting = new AbortController();
  readonly #pollers = new Set<Promise<void>>();
  /** Pollers that have not decided to retire; lower than the set's size until their promises settle. */
  #active = 0;
  /**
   * Ends with the last poller. A race between them would not do: a promise that is long pending
   * remembers each race that it runs in, 300 bytes a time.
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
   * @throws what `handle` throws: then nothing further is received
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

  /** Starts no further receive. Those under way may still bring messages. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Gives up the receives under way as well. */
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
      // Empty: all pollers but one retire, so that an idle worker makes one call at a time.
      if (this.#active > 1) {
        this.#active--;
        return;
      }
      if (isDrained?.(++this.#empty)) return;
      const early = startedAt + MIN_EMPTY_POLL_MS - this.#clock.now();
      if (early > 0) await this.#clock.sleep(early, stopping);
    }
  }

  /** One receive; how many messages it brought, or undefined where none was made. */
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
      // Also where nothing was received at all, or every failure would slow the pace down.
      rateLimiter.refund(unused);
      inFlight.release(queue.batchSize);
    }
  }

  async #waitAfter(error: QueueError): Promise<void> {
    this.#failures++;
    if (this.#failures === 1) {
      log.warn("The queue is away ({code}); trying again", { code: error.code });
    }
    await this.#clock.sleep(backoff(this.#failures), this.#stopping.signal);
  }
}
