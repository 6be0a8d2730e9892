import { getLogger } from "../observe/log.ts";
import type { Message, RejectedMessage } from "../queue/queue.ts";
import {
  type Batch,
  type EventRow,
  type RejectedRow,
  type Store,
  StoreError,
} from "../store/store.ts";
import type { Batcher } from "./batcher.ts";
import { bisect } from "./bisect.ts";
import type { Counters } from "./counters.ts";
import type { InFlightMessage, InFlightMessages } from "./in_flight.ts";
import { OriginalsSealer, type UnmaskedEvent } from "./originals_sealer.ts";
import type { Outage } from "./outage.ts";
import type { KeepRejected, SealedBody } from "./rejections.ts";
import { formatUtcDate, type RejectionReason, type Transformed } from "./transform.ts";

/** A held message and what it became. */
export interface Item {
  readonly entry: InFlightMessage;
  readonly transformed: Transformed;
}

/** Options of {@linkcode Committer}. */
export interface CommitterOptions {
  readonly batcher: Batcher<Item>;
  readonly store: Store;
  readonly keepRejected: KeepRejected;
  /** Default: nothing is kept. */
  readonly originals?: OriginalsSealer;
  readonly inFlight: InFlightMessages;
  readonly counters: Counters;
  readonly outage: Outage;
  /** Takes the messages that are committed and must leave the queue. */
  readonly onCommitted: (entries: readonly InFlightMessage[]) => void;
  /** Gives up waiting for a store that is away. */
  readonly signal: AbortSignal;
}

const log = getLogger("committer");

/** Commits batch after batch on one connection: retries what is transient, isolates what is at fault. */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #originals: OriginalsSealer;
  /** Bodies that are put away already; `null` where they went to a queue. */
  readonly #keptBodies = new WeakMap<InFlightMessage, SealedBody | null | "refused">();

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#originals = options.originals ?? new OriginalsSealer();
  }

  /**
   * Commits until the batcher is closed and empty, or the signal aborts.
   *
   * @throws {StoreError} `fatal`; what it holds stays held
   */
  async run(): Promise<void> {
    const { batcher, signal } = this.#options;
    while (!signal.aborted) {
      const items = await batcher.next();
      if (items.length === 0) return;
      await this.#commitAll(items);
    }
  }

  async #commitAll(items: readonly Item[]): Promise<void> {
    const { inFlight } = this.#options;
    // A message whose lease could not be kept was let go while it waited; it will come again.
    const current = items.filter((item) => inFlight.has(item.entry));
    for (const item of current) item.entry.committing = true;
    if (current.length > 0) await this.#bisect(current);
  }

  async #bisect(items: readonly Item[]): Promise<void> {
    await bisect(items, {
      commit: (part) => this.#commit(part),
      reject: (item, error) => this.#reject(item, error),
    });
  }

  /** Commits some items together, however long the store is away. */
  async #commit(items: readonly Item[]): Promise<void> {
    const { store, outage, signal } = this.#options;
    // After an abort what is left is to be released, and not sealed or sent on before.
    if (signal.aborted) return;
    await this.#keepRejected(items);
    const { firsts, repeats } = splitDuplicates(items.filter((item) => this.#isSafe(item)));
    if (firsts.length === 0) return;
    const originals = await this.#originals.seal(firsts.flatMap(toUnmaskedEvents));
    const batch = { ...this.#build(firsts), originals: originals.rows };
    while (!signal.aborted) {
      try {
        const { duplicates } = await store.commit(batch);
        outage.recover();
        originals.remember(duplicates);
        this.#settle(firsts, duplicates);
        // Whatever became of the first of a key, its event is on record now. Where the store refuses the
        // first, the batch is split until the repeat stands in a part without it and is one itself.
        if (repeats.length > 0) this.#settle(repeats, listIds(repeats));
        return;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        // After the deadline of a stop the connections are dropped; what failed by that is no outage.
        if (signal.aborted) return;
        if (error.kind === "transient") await outage.waitForRecovery(error);
        else {
          if (error.kind === "data") outage.recover();
          throw error;
        }
      }
    }
  }

  /** Puts bodies away once a message, however often its batch is tried or split. */
  async #keepRejected(items: readonly Item[]): Promise<void> {
    const { keepRejected, signal } = this.#options;
    const fresh = items.flatMap(({ entry, transformed }) =>
      transformed.kind === "rejection" && !this.#keptBodies.has(entry)
        ? [{ entry, rejected: toRejectedMessage(entry.message, transformed.rejection) }]
        : []
    );
    const bodies = await keepRejected(fresh.map(({ rejected }) => rejected), signal);
    fresh.forEach(({ entry }, index) => this.#keptBodies.set(entry, bodies[index] ?? null));
  }

  /**
   * Whether a message may be settled. A rejected one whose body no place takes may not: it is let go,
   * comes again when its lease is over, and the good ones next to it need not wait for it.
   */
  #isSafe({ entry }: Item): boolean {
    if (this.#keptBodies.get(entry) !== "refused") return true;
    this.#options.inFlight.settle(entry, "released");
    return false;
  }

  #build(items: readonly Item[]): Omit<Batch, "originals"> {
    const events: EventRow[] = [];
    const rejections: RejectedRow[] = [];
    for (const { entry, transformed } of items) {
      if (transformed.kind === "row") events.push(transformed.row);
      else {
        const { id, sentAt, receiveCount } = entry.message;
        const body = this.#keptBodies.get(entry) ?? null;
        const sealed = body === "refused" ? null : body;
        const row = { id, dateSent: formatUtcDate(sentAt), sentAt, receiveCount, sealed };
        rejections.push({ ...row, ...transformed.rejection });
      }
    }
    // Two workers that hold the same messages lock them in the same order, so they cannot deadlock.
    const byId = (a: { id: string }, b: { id: string }) => a.id < b.id ? -1 : 1;
    return {
      id: crypto.randomUUID(),
      events: events.sort(byId),
      rejections: rejections.sort(byId),
    };
  }

  #settle(items: readonly Item[], duplicates: ReadonlySet<string>): void {
    const { inFlight, counters, onCommitted } = this.#options;
    for (const { entry, transformed } of items) {
      const { id } = entry.message;
      if (duplicates.has(id)) inFlight.settle(entry, "duplicate");
      else if (transformed.kind === "row") {
        counters.countUnknownFields(transformed.unknownFields);
        inFlight.settle(entry, "committed");
      } else {
        const { reason, field, storeCode } = transformed.rejection;
        log.warn("Message {id} was set aside: {reason}", { id, reason, field, code: storeCode });
        inFlight.settle(entry, "rejected");
      }
    }
    onCommitted(items.map(({ entry }) => entry));
  }

  /** Postgres refused this very item: a row is set aside; a refused refusal is a fault of the set-up. */
  async #reject(item: Item, error: StoreError): Promise<void> {
    const { entry, transformed } = item;
    if (transformed.kind === "rejection") {
      throw new StoreError(
        "fatal",
        error.code,
        `Postgres refuses to set message ${entry.message.id} aside: SQLSTATE ${error.code}`,
      );
    }
    const rejection = { reason: "store_refused", field: null, storeCode: error.code };
    // Isolated once more, so that a refusal which is refused too ends as fatal and not as `data`.
    await this.#bisect([{ entry, transformed: { kind: "rejection", rejection } }]);
  }
}

function listIds(items: readonly Item[]): Set<string> {
  return new Set(items.map(({ entry }) => entry.message.id));
}

function toUnmaskedEvents({ transformed }: Item): UnmaskedEvent[] {
  if (transformed.kind !== "row") return [];
  const { row: { id, dateSent }, personal } = transformed;
  return [{ id, dateSent, personal }];
}

function toRejectedMessage(
  { id, body }: Message,
  { reason, field }: RejectionReason,
): RejectedMessage {
  return { id, body, reason, field };
}

/** Items parted by {@linkcode splitDuplicates}, each part in the order in which they came. */
export interface SplitItems<T> {
  /** No two of them have the same key. */
  readonly firsts: readonly T[];
  /** Each has the key of one before it. */
  readonly repeats: readonly T[];
}

/**
 * Parts the first item of each key from those that name the same event once more. Items without a key
 * (refusals, and all where no field names an event) are firsts.
 */
export function splitDuplicates<T extends { readonly transformed: Transformed }>(
  items: readonly T[],
): SplitItems<T> {
  const keys = new Set<string>();
  const firsts: T[] = [];
  const repeats: T[] = [];
  for (const item of items) {
    const { transformed } = item;
    const key = transformed.kind === "row" ? transformed.row.key : undefined;
    if (key !== undefined && keys.has(key)) repeats.push(item);
    else firsts.push(item);
    if (key !== undefined) keys.add(key);
  }
  return { firsts, repeats };
}
