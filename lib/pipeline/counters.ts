/** The counters of one run. They count receipts: a redelivered message counts twice. */
export interface CountersSnapshot {
  readonly received: number;
  /** Rows that this run wrote. */
  readonly committed: number;
  /** Receipts of messages that were already committed or rejected. */
  readonly duplicate: number;
  readonly rejected: number;
  /** Receipts without an outcome: the message was released, or its lease expired. */
  readonly released: number;
  readonly inFlight: number;
}

/** The outcome of a receipt. */
export type Outcome = "committed" | "duplicate" | "rejected" | "released";

/**
 * Counts receipts and their outcomes. At every moment, received = committed + duplicate + rejected +
 * released + in flight. The messages in flight have a counter of their own, so that a mistake breaks the
 * equation and is detected.
 */
export class Counters {
  #received = 0;
  #inFlight = 0;
  #unknownFields = 0;
  readonly #outcomes = { committed: 0, duplicate: 0, rejected: 0, released: 0 };

  /** Counts a received message. */
  receive(): void {
    this.#received++;
    this.#inFlight++;
  }

  /** Counts the outcome of one or more receipts. */
  settle(outcome: Outcome, receipts = 1): void {
    this.#outcomes[outcome] += receipts;
    this.#inFlight -= receipts;
  }

  /** Counts keys of a message that are not in the contract. */
  countUnknownFields(count: number): void {
    this.#unknownFields += count;
  }

  /** Returns the number of ignored keys that are not in the contract. */
  get unknownFields(): number {
    return this.#unknownFields;
  }

  snapshot(): CountersSnapshot {
    return { received: this.#received, ...this.#outcomes, inFlight: this.#inFlight };
  }
}

/** Checks whether received equals the sum of the outcomes and the messages in flight. */
export function isBalanced(counters: CountersSnapshot): boolean {
  const { received, committed, duplicate, rejected, released, inFlight } = counters;
  return received === committed + duplicate + rejected + released + inFlight && inFlight >= 0;
}
