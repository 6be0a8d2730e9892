/**
 * The seam to the stored rows, for custodians: what forgetting, rotating and counting need of them, for every kind
 * of sink. The hot path uses `store.ts`.
 *
 * @module
 */

/** A mask in the rows, and the field of its original. */
export interface MaskedValue {
  readonly field: string;
  readonly mask: string;
}

/** Joins field and mask into a key for maps and sets. Neither can contain a NUL. */
export function toMapKey({ field, mask }: MaskedValue): string {
  return `${field}\0${mask}`;
}

/** What the rows have of one person. */
export interface SubjectTraces {
  /** How many rows name the person. */
  readonly rows: number;
  /** The different values of their masked columns. One that is not a mask was not written by Maskline. */
  readonly values: readonly MaskedValue[];
}

/** How many rows have one mask. */
export interface CarrierCount {
  readonly rows: number;
  /** How many people these rows name; null if the rows of this contract name no person. */
  readonly subjects: number | null;
}

/** A part of the rows that one call reads or changes. */
export interface RowRange {
  readonly from: string;
  readonly end: string;
  /** How much of the walk is complete after this part, 0 to 1. */
  readonly progress: number;
}

/** Rows of one field, by the key of their mask. */
export interface MaskCount {
  readonly field: string;
  /** The mask key's id; null if the value is not a mask. */
  readonly keyId: string | null;
  /** The mask, for the keys that were asked for; otherwise null. */
  readonly mask: string | null;
  readonly rows: number;
}

/**
 * The stored rows. A value belongs to one connection: within a transaction all its calls commit together. Every
 * method throws a {@linkcode StoreError} if the database refuses or does not answer; nothing was changed then,
 * or the transaction must be rolled back.
 */
export interface RowStore {
  /** Whether rows name the person whom they are about. The methods with a subject must not be called otherwise. */
  readonly hasSubject: boolean;

  /**
   * Locks out other commands that forget a person until the transaction ends: of two people who are forgotten
   * at once, each could be the reason why the original of the other stays.
   */
  lockForgetting(): Promise<void>;

  /** Finds the rows and masks of a person. Reads all rows unless the subject's column has an index. */
  findTraces(subject: string): Promise<SubjectTraces>;

  /** Counts the rows that have a mask, and their people. Reads all rows. */
  countCarriers(value: MaskedValue): Promise<CarrierCount>;

  /** Counts the people other than `subject` that have each of these masks. A mask that no other person has is left out. */
  countOtherCarriers(
    subject: string,
    values: readonly MaskedValue[],
  ): Promise<readonly (MaskedValue & { readonly others: number })[]>;

  /**
   * Deletes a person's rows, and records the number so that the counters still balance. A row that was stored
   * after `traces` were found and has another value is not deleted.
   *
   * @returns how many rows were deleted
   */
  deleteRows(subject: string, traces: SubjectTraces): Promise<number>;

  /**
   * Removes the person and the masks from their rows, with the same exception.
   *
   * @returns how many rows were changed
   */
  anonymiseRows(subject: string, traces: SubjectTraces): Promise<number>;

  /**
   * Walks the rows in parts small enough for one statement each. Rows that are stored meanwhile may or may not be
   * in a part; a part whose rows were changed is complete only when a second walk changes nothing.
   *
   * @param rows about how many rows a part should have, from 1
   */
  walk(rows: number): AsyncIterable<RowRange>;

  /** Counts a part's rows by field and mask key, and those of `keys` by mask as well. */
  countMasks(range: RowRange, keys: readonly string[]): Promise<readonly MaskCount[]>;

  /**
   * Replaces a part's old masks by the new ones that the rotation recorded.
   *
   * @returns how many rows were changed
   */
  replaceMasks(range: RowRange): Promise<number>;
}
