import type { Clock } from "../base/clock.ts";
import { Notifier } from "../base/notifier.ts";
import type { Message } from "../queue/queue.ts";
import type { Counters, Outcome } from "./counters.ts";

/** A message that is held, from its receipt to its outcome. */
export interface InFlightMessage {
  readonly message: Message;
  /** The newest handle: a message that came again while it was held has a newer one. */
  handle: string;
  /** How often it came while it was held. */
  receipts: number;
  /** When it first came, by the clock. */
  readonly receivedAt: number;
  /** From when its present lease runs, by the clock. */
  leasedAt: number;
  /** It is in a batch that is being committed, so its lease no longer decides its outcome. */
  committing: boolean;
}

/** Options of {@linkcode InFlightMessages}. */
export interface InFlightOptions {
  readonly counters: Counters;
  readonly clock: Clock;
  /** The most messages to hold. */
  readonly maxMessages: number;
  /** The most characters of bodies to hold, so that 1 MiB bodies do not fill the memory. */
  readonly maxCharacters: number;
}

/** All that is held, by message id, and the room that is left. */
export class InFlightMessages {
  readonly #options: InFlightOptions;
  readonly #entries = new Map<string, InFlightMessage>();
  #characters = 0;
  #reserved = 0;
  readonly #room = new Notifier();

  constructor(options: InFlightOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The messages that are held now. */
  all(): InFlightMessage[] {
    return [...this.#entries.values()];
  }

  /**
   * Books a receipt and holds the message. A message that is held already gets the newer handle and a
   * new lease, and `null` comes back: it needs no second pass.
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

  /** Whether this very message is still held. */
  has(entry: InFlightMessage): boolean {
    return this.#entries.get(entry.message.id) === entry;
  }

  /**
   * Lets a message go with its outcome. Where it came several times, the first receipt has the outcome
   * and the others are duplicates; a release releases all of them. Settling twice does nothing.
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
    this.#room.notify();
  }

  /** Waits until `count` more messages may be held, and reserves their room; false when aborted. */
  async reserve(count: number, signal: AbortSignal): Promise<boolean> {
    const { maxMessages, maxCharacters } = this.#options;
    while (!signal.aborted) {
      const full = this.size + this.#reserved + count > maxMessages;
      if (!full && this.#characters < maxCharacters) {
        this.#reserved += count;
        return true;
      }
      await this.#room.wait(signal);
    }
    return false;
  }

  /** Gives reserved room back once what came of it is held. */
  release(count: number): void {
    this.#reserved -= count;
    this.#room.notify();
  }
}
