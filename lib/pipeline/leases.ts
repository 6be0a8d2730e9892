import { forEachChunk } from "../base/chunks.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { getLogger } from "../observe/log.ts";
import { type Failures, type Queue, QueueError } from "../queue/queue.ts";
import type { InFlightMessage, InFlightMessages } from "./in_flight.ts";

/** Options of {@linkcode Leases}. */
export interface LeasesOptions {
  readonly queue: Queue;
  readonly inFlight: InFlightMessages;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

const log = getLogger("leases");

/** Extends the leases of all messages in flight, including those that wait in a buffer. */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #clock: Clock;
  readonly #leaseMs: number;

  constructor(options: LeasesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#leaseMs = options.queue.leaseSeconds * 1000;
  }

  /** Extends leases until the signal aborts. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    // Checks four times in the second half of a lease, so that a failed extension can be retried.
    const interval = Math.max(100, this.#leaseMs / 8);
    while (!signal.aborted) {
      await this.#clock.sleep(interval, signal);
      if (!signal.aborted) await this.renew();
    }
  }

  /** Extends every lease that is half over. Releases the messages whose leases expired. */
  async renew(): Promise<void> {
    const { inFlight, queue } = this.#options;
    const now = this.#clock.now();
    const due = inFlight.all().filter((entry) => now - entry.leasedAt >= this.#leaseMs / 2);
    await forEachChunk(due, queue.batchSize, 4, (group) => this.#extend(group));
  }

  async #extend(group: readonly InFlightMessage[]): Promise<void> {
    const { inFlight, signal } = this.#options;
    // A stop must not wait for hundreds of calls, each of which can take the 5 s deadline.
    if (signal.aborted) return;
    const startedAt = this.#clock.now();
    // Some of these may have been committed, and even deleted, while earlier groups were extended.
    const current = group.filter((entry) => inFlight.has(entry));
    const failures = await this.#requestExtension(
      current.filter((entry) => this.#mayExtend(entry, startedAt)),
    );
    for (const entry of current) {
      const failed = failures.has(entry.message.id) || !this.#mayExtend(entry, startedAt);
      // Counts from before the call. The queue starts the lease later, so Maskline never overestimates
      // its end.
      if (!failed) entry.leasedAt = Math.max(entry.leasedAt, startedAt);
      else if (this.#isExpired(entry)) this.#release(entry, failures.get(entry.message.id));
    }
  }

  async #requestExtension(group: readonly InFlightMessage[]): Promise<Failures> {
    if (group.length === 0) return new Map();
    const entries = group.map(({ message, handle }) => ({ id: message.id, handle }));
    try {
      return await this.#options.queue.extend(entries, this.#options.queue.leaseSeconds);
    } catch (error) {
      const code = error instanceof QueueError ? error.code : "unknown";
      return new Map(entries.map(({ id }) => [id, code]));
    }
  }

  #mayExtend(entry: InFlightMessage, now: number): boolean {
    const { longestLeaseSeconds } = this.#options.queue;
    return now + this.#leaseMs - entry.receivedAt < longestLeaseSeconds * 1000;
  }

  #isExpired(entry: InFlightMessage): boolean {
    return this.#clock.now() - entry.leasedAt >= this.#leaseMs;
  }

  /**
   * Releases a message that the queue now redelivers. A message that is being committed stays: the
   * ledger removes its duplicate.
   */
  #release(entry: InFlightMessage, code = "it reached the queue's maximum lease"): void {
    if (entry.committing || !this.#options.inFlight.has(entry)) return;
    log.warn("The lease of message {id} could not be extended ({code})", {
      id: entry.message.id,
      code,
    });
    this.#options.inFlight.settle(entry, "released");
  }
}
