import type { Message } from "../queue/queue.ts";
import { Bell } from "./bell.ts";
import type { Books, Outcome } from "./books.ts";
import type { Clock } from "./clock.ts";

/** A message that is held, from its receipt to its outcome. */
export interface HeldMessage {
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

/** Options of {@linkcode Holdings}. */
export interface HoldingsOptions {
  readonly books: Books;
  readonly clock: Clock;
  /** The most messages to hold. */
  readonly maxMessages: number;
  /** The most characters of bodies to hold, so that 1 MiB bodies do not fill the memory. */
  readonly maxCharacters: number;
}

/** All that is held, by message id, and the room that is left. */
export class Holdings {
  readonly #options: HoldingsOptions;
  readonly #held = new Map<string, HeldMessage>();
  #characters = 0;
  #reserved = 0;
  readonly #room = new Bell();

  constructor(options: HoldingsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#held.size;
  }

  /** The messages that are held now. */
  all(): HeldMessage[] {
    return [...this.#held.values()];
  }

  /**
   * Books a receipt and holds the message. A message that is held already gets the newer handle and a
   * new lease, and `null` comes back: it needs no second pass.
   */
  take(message: Message): HeldMessage | null {
    const { books, clock } = this.#options;
    books.receive();
    const now = clock.now();
    const known = this.#held.get(message.id);
    if (known) {
      known.handle = message.handle;
      known.receipts++;
      known.leasedAt = now;
      return null;
    }
    const held: HeldMessage = {
      message,
      handle: message.handle,
      receipts: 1,
      receivedAt: now,
      leasedAt: now,
      committing: false,
    };
    this.#held.set(message.id, held);
    this.#characters += message.body.length;
    return held;
  }

  /** Whether this very message is still held. */
  has(held: HeldMessage): boolean {
    return this.#held.get(held.message.id) === held;
  }

  /**
   * Lets a message go with its outcome. Where it came several times, the first receipt has the outcome
   * and the others are duplicates; a release releases all of them. Settling twice does nothing.
   */
  settle(held: HeldMessage, outcome: Outcome): void {
    if (!this.has(held)) return;
    const { books } = this.#options;
    if (outcome === "released") books.settle("released", held.receipts);
    else {
      books.settle(outcome);
      if (held.receipts > 1) books.settle("duplicate", held.receipts - 1);
    }
    this.#held.delete(held.message.id);
    this.#characters -= held.message.body.length;
    this.#room.ring();
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
  unreserve(count: number): void {
    this.#reserved -= count;
    this.#room.ring();
  }
}
