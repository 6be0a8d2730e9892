/**
 * The seam to the store of rows, for the hot path. The pipeline knows nothing else of a database.
 *
 * @module
 */
import { OperationError } from "../base/errors.ts";

/** A value of a column. */
export type ColumnValue = string | number | null;

/** An event, masked and ready to be stored. */
export interface EventRow {
  /** The message's id. */
  readonly id: string;
  /** The UTC date on which the message was sent, `YYYY-MM-DD`. */
  readonly dateSent: string;
  /** A value for each field of the contract, in its order. None of them is an original. */
  readonly values: readonly ColumnValue[];
  /** The key that identifies the event besides its message id. Either all rows have one or none has. */
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
  /** The code with which the store refused the row, if it did. */
  readonly storeCode: string | null;
  /** The sealed body and the vault key's id; `null` if the body was sent to a queue. */
  readonly sealed: { readonly bytes: Uint8Array; readonly keyId: string } | null;
}

/** An original, sealed to the vault. */
export interface OriginalRow {
  /** The message of its event. If that is a duplicate, nothing is written. */
  readonly id: string;
  readonly dateSent: string;
  readonly field: string;
  readonly mask: string;
  readonly sealed: Uint8Array;
  /** The id of the vault key, the same in the whole batch. */
  readonly keyId: string;
}

/** What commits together. No id and no key is in it twice. */
export interface Batch {
  /** A UUID, the same when the batch is retried. */
  readonly id: string;
  readonly events: readonly EventRow[];
  readonly rejections: readonly RejectedRow[];
  /** Originals that the vault may not have yet. An entry that exists is not replaced. */
  readonly originals: readonly OriginalRow[];
}

/** The result of a commit. */
export interface CommitResult {
  /** The ids that were committed before, by any worker, or whose key was. Nothing was written for them. */
  readonly duplicates: ReadonlySet<string>;
}

/** The store of rows, ledger, rejections and originals. */
export interface Store {
  /**
   * Commits a batch: the rows, the ledger, the rejections and the originals, all or nothing. Several commits may
   * run at once. A batch whose outcome is unknown (the answer was lost) may be committed again under the same
   * id. What the first attempt committed is not a duplicate then.
   *
   * @throws {StoreError} `transient`: the outcome is unknown; retry the same batch when `probe` succeeds.
   * `data`: nothing was committed, and a row in the batch is at fault; split it. `fatal`: nothing was committed
   * and no retry can succeed; stop.
   */
  commit(batch: Batch): Promise<CommitResult>;

  /**
   * Checks, at low cost, whether commits can succeed again. Called repeatedly during an outage.
   *
   * @throws {StoreError} they cannot
   */
  probe(): Promise<void>;

  /** Drops the connections. Calls in progress fail as `transient`. */
  close(): Promise<void>;
}

/** What a failure obliges the caller to do (see {@linkcode Store.commit}). */
export type StoreErrorKind = "transient" | "data" | "fatal";

/**
 * A failed call of the store. Its message never quotes a value: a database's own message may contain the row,
 * so a backend leaves it out unless the error occurs before any value is read.
 */
export class StoreError extends OperationError {
  override readonly name = "StoreError";
  readonly kind: StoreErrorKind;
  /** The database's code (an SQLSTATE), or the network's. */
  readonly code: string;

  constructor(kind: StoreErrorKind, code: string, message: string) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}
