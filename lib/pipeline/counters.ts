/** The counters of one run, in receipts: a message that comes twice is received twice. */
export interface CountersSnapshot {
  readonly received: number;
  /** Rows that this run wrote. */
  readonly committed: number;
  /** Receipts of messages that had been committed or rejected before. */
  readonly duplicate: number;
  readonly rejected: number;
  /** Given back, or lost to the end of a lease, without an outcome. */
  readonly released: number;
  readonly inFlight: number;
}

/** What can become of a receipt. */
export type Outcome = "committed" | "duplicate" | "rejected" | "released";

/**
 * The books: received = committed + duplicate + rejected + released + in flight, at every moment. Kept
 * here only; what is in flight is counted for itself, so that the equation can fail and be noticed.
 */
export class Counters {
  #received = 0;
  #inFlight = 0;
  #unknownFields = 0;
  readonly #outcomes = { committed: 0, duplicate: 0, rejected: 0, released: 0 };

  /** A message came. */
  receive(): void {
    this.#received++;
    this.#inFlight++;
  }

  /** Receipts came to their end. */
  settle(outcome: Outcome, receipts = 1): void {
    this.#outcomes[outcome] += receipts;
    this.#inFlight -= receipts;
  }

  /** A message had keys that the contract does not name. */
  countUnknownFields(count: number): void {
    this.#unknownFields += count;
  }

  /** Keys of messages that the contract does not name, ignored so far. */
  get unknownFields(): number {
    return this.#unknownFields;
  }

  snapshot(): CountersSnapshot {
    return { received: this.#received, ...this.#outcomes, inFlight: this.#inFlight };
  }
}

/** Whether the equation holds. */
export function isBalanced(books: CountersSnapshot): boolean {
  const { received, committed, duplicate, rejected, released, inFlight } = books;
  return received === committed + duplicate + rejected + released + inFlight && inFlight >= 0;
}
