import { getLogger } from "../observe/log.ts";
import { type Failures, type Queue, QueueError } from "../queue/queue.ts";
import { inGroups } from "./in_groups.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { HeldMessage, Holdings } from "./holdings.ts";

/** Options of {@linkcode Leases}. */
export interface LeasesOptions {
  readonly queue: Queue;
  readonly holdings: Holdings;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** SQS ends every lease 12 hours after the receipt, whatever is asked (ChangeMessageVisibility). */
const LONGEST_LEASE_MS = 12 * 3_600_000;

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
    const { holdings, queue } = this.#options;
    const now = this.#clock.now();
    const due = holdings.all().filter((held) => now - held.leasedAt >= this.#leaseMs / 2);
    await inGroups(due, queue.batchSize, 4, (group) => this.#extend(group));
  }

  async #extend(group: readonly HeldMessage[]): Promise<void> {
    const { holdings, signal } = this.#options;
    // A stop does not wait for hundreds of calls that a silent queue would each answer after 5 s.
    if (signal.aborted) return;
    const startedAt = this.#clock.now();
    // While earlier groups were asked for, some of these were committed, and perhaps deleted.
    const still = group.filter((held) => holdings.has(held));
    const failures = await this.#ask(still.filter((held) => this.#mayExtend(held, startedAt)));
    for (const held of still) {
      const failed = failures.has(held.message.id) || !this.#mayExtend(held, startedAt);
      // Counted from before the call: the queue's own clock started later, so the lease is never
      // thought longer than it is.
      if (!failed) held.leasedAt = Math.max(held.leasedAt, startedAt);
      else if (this.#isOver(held)) this.#letGo(held, failures.get(held.message.id));
    }
  }

  async #ask(group: readonly HeldMessage[]): Promise<Failures> {
    if (group.length === 0) return new Map();
    const entries = group.map(({ message, handle }) => ({ id: message.id, handle }));
    try {
      return await this.#options.queue.extend(entries, this.#options.queue.leaseSeconds);
    } catch (error) {
      const code = error instanceof QueueError ? error.code : "unknown";
      return new Map(entries.map(({ id }) => [id, code]));
    }
  }

  #mayExtend(held: HeldMessage, now: number): boolean {
    return now + this.#leaseMs - held.receivedAt < LONGEST_LEASE_MS;
  }

  #isOver(held: HeldMessage): boolean {
    return this.#clock.now() - held.leasedAt >= this.#leaseMs;
  }

  /** The queue hands it to somebody again. One that is committing right now is the ledger's matter. */
  #letGo(held: HeldMessage, code = "12 hours"): void {
    if (held.committing || !this.#options.holdings.has(held)) return;
    log.warn("The lease of message {id} could not be kept ({code})", { id: held.message.id, code });
    this.#options.holdings.settle(held, "released");
  }
}
