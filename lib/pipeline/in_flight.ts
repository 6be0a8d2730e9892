import type { Clock } from "../base/clock.ts";
import { Notifier } from "../base/notifier.ts";
import type { Message } from "../queue/queue.ts";
import type { Counters, Outcome } from "./counters.ts";

/** A message in flight, from its receipt to its outcome. */
export interface InFlightMessage {
  readonly message: Message;
  /** The newest handle: each redelivery brings a newer one. */
  handle: string;
  /** How often the message was received while in flight. */
  receipts: number;
  /** Time of the first receipt, in milliseconds of the clock. */
  readonly receivedAt: number;
  /** Start of the current lease, in milliseconds of the clock. */
  leasedAt: number;
  /** Whether its batch is being committed. Its lease then no longer decides its outcome. */
  committing: boolean;
}

/** Options of {@linkcode InFlightMessages}. */
export interface InFlightOptions {
  readonly counters: Counters;
  readonly clock: Clock;
  /** Maximum number of messages in flight. */
  readonly maxMessages: number;
  /** Maximum characters of all bodies together, so that 1 MiB bodies do not fill the memory. */
  readonly maxCharacters: number;
}

/** Tracks the messages in flight by id, and the remaining capacity. */
export class InFlightMessages {
  readonly #options: InFlightOptions;
  readonly #entries = new Map<string, InFlightMessage>();
  #characters = 0;
  #reserved = 0;
  readonly #capacity = new Notifier();

  constructor(options: InFlightOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Returns the messages in flight. */
  all(): InFlightMessage[] {
    return [...this.#entries.values()];
  }

  /**
   * Counts a receipt and adds the message. If the message is already in flight, updates its handle and
   * its lease and returns `null`: it is not processed twice.
   */
  add(message: Message): InFlightMessage | null {
    const { counters, clock } = this.#options;
    counters.receive();
    const now = clock.now();
    const known = this.#entries.get(message.id);
    if (known) {
      known.handle = message.handle;
      known.receipts++;
      known.leasedAt = now;
      return null;
    }
    const entry: InFlightMessage = {
      message,
      handle: message.handle,
      receipts: 1,
      receivedAt: now,
      leasedAt: now,
      committing: false,
    };
    this.#entries.set(message.id, entry);
    this.#characters += message.body.length;
    return entry;
  }

  /** Checks whether this entry is still in flight. */
  has(entry: InFlightMessage): boolean {
    return this.#entries.get(entry.message.id) === entry;
  }

  /**
   * Removes a message with its outcome. If it was received several times, the first receipt gets the
   * outcome and the others count as duplicates; a release counts for all of them. Settling twice has no
   * effect.
   */
  settle(entry: InFlightMessage, outcome: Outcome): void {
    if (!this.has(entry)) return;
    const { counters } = this.#options;
    if (outcome === "released") counters.settle("released", entry.receipts);
    else {
      counters.settle(outcome);
      if (entry.receipts > 1) counters.settle("duplicate", entry.receipts - 1);
    }
    this.#entries.delete(entry.message.id);
    this.#characters -= entry.message.body.length;
    this.#capacity.notify();
  }

  /** Waits for capacity for `count` messages and reserves it. Returns false when aborted. */
  async reserve(count: number, signal: AbortSignal): Promise<boolean> {
    const { maxMessages, maxCharacters } = this.#options;
    while (!signal.aborted) {
      const full = this.size + this.#reserved + count > maxMessages;
      if (!full && this.#characters < maxCharacters) {
        this.#reserved += count;
        return true;
      }
      await this.#capacity.wait(signal);
    }
    return false;
  }

  /** Releases reserved capacity after the received messages were added. */
  release(count: number): void {
    this.#reserved -= count;
    this.#capacity.notify();
  }
}
