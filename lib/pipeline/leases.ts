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

/** Keeps the lease of everything that is held, also of what waits in a buffer. */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #clock: Clock;
  readonly #leaseMs: number;

  constructor(options: LeasesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#leaseMs = options.queue.leaseSeconds * 1000;
  }

  /** Looks after the leases until the signal aborts. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    // Four looks between the half and the end of a lease: a failed extension has time to be repeated.
    const interval = Math.max(100, this.#leaseMs / 8);
    while (!signal.aborted) {
      await this.#clock.sleep(interval, signal);
      if (!signal.aborted) await this.renew();
    }
  }

  /** Extends every lease that is half over, and lets go of what could not be kept. */
  async renew(): Promise<void> {
    const { inFlight, queue } = this.#options;
    const now = this.#clock.now();
    const due = inFlight.all().filter((entry) => now - entry.leasedAt >= this.#leaseMs / 2);
    await forEachChunk(due, queue.batchSize, 4, (group) => this.#extend(group));
  }

  async #extend(group: readonly InFlightMessage[]): Promise<void> {
    const { inFlight, signal } = this.#options;
    // A stop does not wait for hundreds of calls that a silent queue would each answer after 5 s.
    if (signal.aborted) return;
    const startedAt = this.#clock.now();
    // While earlier groups were asked for, some of these were committed, and perhaps deleted.
    const still = group.filter((entry) => inFlight.has(entry));
    const failures = await this.#ask(still.filter((entry) => this.#mayExtend(entry, startedAt)));
    for (const entry of still) {
      const failed = failures.has(entry.message.id) || !this.#mayExtend(entry, startedAt);
      // Counted from before the call: the queue's own clock started later, so the lease is never
      // thought longer than it is.
      if (!failed) entry.leasedAt = Math.max(entry.leasedAt, startedAt);
      else if (this.#isOver(entry)) this.#letGo(entry, failures.get(entry.message.id));
    }
  }

  async #ask(group: readonly InFlightMessage[]): Promise<Failures> {
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

  #isOver(entry: InFlightMessage): boolean {
    return this.#clock.now() - entry.leasedAt >= this.#leaseMs;
  }

  /** The queue hands it to somebody again. One that is committing right now is the ledger's matter. */
  #letGo(entry: InFlightMessage, code = "it has lasted as long as the queue allows"): void {
    if (entry.committing || !this.#options.inFlight.has(entry)) return;
    log.warn("The lease of message {id} could not be kept ({code})", {
      id: entry.message.id,
      code,
    });
    this.#options.inFlight.settle(entry, "released");
  }
}
