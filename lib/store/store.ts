/**
 * The seam to whatever keeps the rows. The pipeline knows nothing else of a database.
 *
 * @module
 */
import { OperationError } from "../base/errors.ts";

/** A value as a column takes it. */
export type ColumnValue = string | number | null;

/** An event, masked and ready to be stored. */
export interface EventRow {
  /** The message's id. */
  readonly id: string;
  /** The UTC date on which the message was sent, `YYYY-MM-DD`. */
  readonly dateSent: string;
  /** One value a field of the contract, in its order; no original is among them. */
  readonly values: readonly ColumnValue[];
  /** What names the event besides its message; each row has one where the store was told so, or none. */
  readonly key?: string;
}

/** A rejected message. */
export interface RejectedRow {
  readonly id: string;
  readonly dateSent: string;
  /** Milliseconds since 1970 UTC. */
  readonly sentAt: number;
  readonly receiveCount: number;
  readonly reason: string;
  readonly field: string | null;
  /** The SQLSTATE with which Postgres refused the row, where it did. */
  readonly storeCode: string | null;
  /** The body, sealed, and the vault key's id; `null` where the body went to a queue instead. */
  readonly sealed: { readonly bytes: Uint8Array; readonly keyId: string } | null;
}

/** An original, sealed for the vault. */
export interface OriginalRow {
  /** The event that brings it: where that is no new one, nothing is written. */
  readonly id: string;
  readonly dateSent: string;
  readonly field: string;
  readonly mask: string;
  readonly sealed: Uint8Array;
  /** The id of the vault key; the same in all of a batch. */
  readonly keyId: string;
}

/** What commits together. No id stands twice in it, and no key. */
export interface Batch {
  /** A UUID; the same when the same batch is tried again. */
  readonly id: string;
  readonly events: readonly EventRow[];
  readonly rejections: readonly RejectedRow[];
  /** Originals that the vault may not have yet; one that is there is left as it is. */
  readonly originals: readonly OriginalRow[];
}

/** What became of a batch that committed. */
export interface CommitResult {
  /** The ids that had been committed before, by whomever, or whose key had: nothing was written for them. */
  readonly duplicates: ReadonlySet<string>;
}

/** Where rows are kept. */
export interface Store {
  /**
   * Commits a batch: the rows, the ledger, the rejections and the originals, all or nothing. A batch whose outcome is
   * unknown (the answer got lost) may be committed again under the same id; what the first attempt
   * committed does not count as duplicate then.
   *
   * @throws {StoreError} `transient`: nothing is known; try the same batch again once `probe` succeeds.
   * `data`: nothing was committed, and some row in it is at fault: split it. `fatal`: nothing was
   * committed and nothing ever will be; stop.
   */
  commit(batch: Batch): Promise<CommitResult>;

  /**
   * Tells cheaply whether committing can work again.
   *
   * @throws {StoreError} it cannot
   */
  probe(): Promise<void>;

  /** Drops the connections; what is under way fails as `transient`. */
  close(): Promise<void>;
}

/** What a failure obliges the caller to do. */
export type StoreErrorKind = "transient" | "data" | "fatal";

/**
 * The store could not do what it was asked. It never quotes a value: Postgres' own message and DETAIL
 * may hold the row, so they are left out, but for the kinds of error that arise before any value is seen.
 */
export class StoreError extends OperationError {
  override readonly name = "StoreError";
  readonly kind: StoreErrorKind;
  /** The SQLSTATE, or the network's code. */
  readonly code: string;

  constructor(kind: StoreErrorKind, code: string, message: string) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}
