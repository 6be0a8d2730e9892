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

/** A message in flight and the result of its transformation. */
export interface Item {
  readonly entry: InFlightMessage;
  readonly transformed: Transformed;
}

/** Options of {@linkcode Committer}. */
export interface CommitterOptions {
  readonly batcher: Batcher<Item>;
  readonly store: Store;
  readonly keepRejected: KeepRejected;
  /** Default: no original is stored. */
  readonly originals?: OriginalsSealer;
  readonly inFlight: InFlightMessages;
  readonly counters: Counters;
  readonly outage: Outage;
  /** Receives the committed messages, which must be deleted from the queue. */
  readonly onCommitted: (entries: readonly InFlightMessage[]) => void;
  /** Stops waiting for an unavailable store. */
  readonly signal: AbortSignal;
}

const log = getLogger("committer");

/** Commits one batch after another. Retries transient failures and isolates invalid items. */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #originals: OriginalsSealer;
  /** The bodies that `keepRejected` has already taken; `null` for a body that went to a queue. */
  readonly #keptBodies = new WeakMap<InFlightMessage, SealedBody | null | "refused">();

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#originals = options.originals ?? new OriginalsSealer();
  }

  /**
   * Commits until the batcher is closed and empty, or the signal aborts.
   *
   * @throws {StoreError} `fatal`: the messages of the batch stay in flight
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
    // A message whose lease expired while it waited was released. The queue redelivers it.
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

  /** Commits items together. Retries for as long as the store is unavailable. */
  async #commit(items: readonly Item[]): Promise<void> {
    const { store, outage, signal } = this.#options;
    // After an abort the remaining messages are released. They must not be sealed or sent on first.
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
        // The event of each repeat is stored now, by the first item of its key or by an earlier batch.
        // If the store refuses that first item, the batch is split until the repeat is in a part
        // without it and becomes a first item itself.
        if (repeats.length > 0) this.#settle(repeats, listIds(repeats));
        return;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        // After the stop deadline the connections are dropped. That failure is not an outage.
        if (signal.aborted) return;
        if (error.kind === "transient") await outage.waitForRecovery(error);
        else {
          if (error.kind === "data") outage.recover();
          throw error;
        }
      }
    }
  }

  /** Stores each rejected body once, however often its batch is retried or split. */
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
   * Checks whether a message may be settled. A rejected message whose body was refused may not: it is
   * released and redelivered when its lease expires, so that the valid messages of the batch can commit.
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
    // Two workers that have the same messages in flight lock the rows in the same order, which prevents
    // a deadlock.
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
        log.warn("Message {id} was rejected: {reason}", { id, reason, field, code: storeCode });
        inFlight.settle(entry, "rejected");
      }
    }
    onCommitted(items.map(({ entry }) => entry));
  }

  /**
   * Rejects an item that the store refused on its own. If the store refuses the rejection too, the
   * installation is faulty and the run ends.
   */
  async #reject(item: Item, error: StoreError): Promise<void> {
    const { entry, transformed } = item;
    if (transformed.kind === "rejection") {
      throw new StoreError(
        "fatal",
        error.code,
        `Expected the store to record the rejection of message ${entry.message.id}, ` +
          `got the code ${error.code}. Run \`maskline check\` to find the cause`,
      );
    }
    const rejection = { reason: "store_refused", field: null, storeCode: error.code };
    // Uses bisect again, so that a refused rejection ends as `fatal` and not as `data`.
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

/** The result of {@linkcode splitDuplicates}. Each part keeps the order of the items. */
export interface SplitItems<T> {
  /** No two of them have the same key. */
  readonly firsts: readonly T[];
  /** Each has the key of an earlier item. */
  readonly repeats: readonly T[];
}

/**
 * Separates the first item of each key from later items for the same event. Items without a key are
 * first items: rejections, and all items if no dedupe field is configured.
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
