import { OperationError } from "../../base/errors.ts";
import { lockRotation } from "../../store/postgres/sql/rotation.ts";
import { findOriginals } from "../../store/postgres/sql/vault.ts";
import { type MaskCount, type MaskedValue, toMapKey } from "../../store/row_store.ts";
import type { Databases } from "../../worker/databases.ts";
import { type Justification, recordAudit } from "../audit.ts";

/** How far a phase of a rotation is. Each phase is reported when it begins, during it, and when it ends. */
export interface RotationProgress {
  readonly phase: "vault" | "rows" | "old entries" | "rejected";
  readonly state: "begins" | "continues" | "ends";
  /** Entries, rows or bodies that were changed so far. */
  readonly count: number;
  /** Which walk over the table this is, from 1; undefined for a phase that needs only one. */
  readonly walk?: number;
  /** How much of the walk is complete, 0 to 1, if that is known. */
  readonly share?: number;
}

/** Blocks of the vault in one range: about 1,000 entries of 200 bytes. */
export const VAULT_BLOCKS_PER_RANGE = 32;

/** Walks over a table before giving up. Two are enough if no worker uses an old key. */
export const MAX_WALKS = 6;

/** What the parts of a rotation work with. */
export interface Rotation {
  readonly databases: Databases;
  /** Stops the rotation between two of its parts. */
  readonly signal: AbortSignal;
  /** Takes the progress. */
  readonly report: (progress: RotationProgress) => void;
}

/**
 * Checks before each part that this rotation is the only one and may continue. The lock belongs to the one
 * connection of a command. If that connection was lost since the last part, the lock is taken again, and another
 * rotation may have taken it meanwhile.
 *
 * @throws {OperationError} another rotation is in progress, or this one was stopped
 */
export async function assertLockHeld({ databases, signal }: Rotation): Promise<void> {
  throwIfStopped(signal);
  const [lock] = await databases.database.query<{ held: boolean }>(lockRotation);
  if (!lock?.held) {
    throw new OperationError(
      "Another rotation is in progress on this database; wait until it ends",
    );
  }
}

/**
 * Ends a long action between two of its parts.
 *
 * @throws {OperationError} the signal aborted
 */
export function throwIfStopped(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new OperationError("Stopped: what is done stays done. Run the command again to continue");
}

/** Records a rotation in the audit log. It concerns no value in particular. @throws {StoreError} */
export async function recordRotation(
  { databases }: Rotation,
  justification: Justification,
  detail: string,
): Promise<void> {
  const subjects = [{ field: null, mask: null }];
  await recordAudit(databases.vault, { action: "rotate", subjects, ...justification, detail });
}

/** Why a sealed value cannot be moved to another key. */
export type SkipReason =
  | "unknown mask key"
  | "unknown vault key"
  | "does not open"
  | "other mask"
  | "not a mask";

/** How many values were skipped for one reason. */
export interface SkipCount {
  readonly reason: SkipReason;
  /** The key that the reason is about; empty if none is. It is text from a table, and may be anything. */
  readonly keyId: string;
  readonly count: number;
}

/** Counts the values that are left as they are, by reason and key; never a value. */
export class SkippedEntries {
  readonly #counts = new Map<string, SkipCount>();

  /** @param keyId of the key that the reason is about */
  add(reason: SkipReason, keyId = ""): void {
    const name = `${reason} ${keyId}`;
    const count = (this.#counts.get(name)?.count ?? 0) + 1;
    this.#counts.set(name, { reason, keyId, count });
  }

  get total(): number {
    return this.list().reduce((sum, { count }) => sum + count, 0);
  }

  list(): readonly SkipCount[] {
    return [...this.#counts.values()];
  }
}

/** What a count reads, and what stops it. */
export type CountScope = Pick<Rotation, "databases" | "signal">;

/** Rows of one masked column, by the key of their mask. */
export interface RowCount {
  readonly field: string;
  /** The key's id; null for a value that is not a mask. */
  readonly key: string | null;
  readonly rows: number;
  /** Those whose original is not in the vault. Always 0 for a key that was not asked for. */
  readonly withoutOriginal: number;
}

/** Rows that one statement counts. An estimate, not measured. */
const ROWS_PER_PART = 25_000;

/**
 * Counts the rows of the target table by masked column and mask key, in one walk.
 *
 * @param old keys whose masks are looked up in the vault
 * @throws {StoreError} a database refused or did not answer
 * @throws {OperationError} the signal aborted
 */
export async function countRows(
  { databases: { rows: store, vault }, signal }: CountScope,
  old: readonly string[],
): Promise<RowCount[]> {
  const counts = new Map<string, { -readonly [Name in keyof RowCount]: RowCount[Name] }>();
  for await (const range of store.walk(ROWS_PER_PART)) {
    throwIfStopped(signal);
    const found = await store.countMasks(range, old);
    const missing = await findWithoutOriginal(vault, found);
    for (const row of found) {
      const { field, keyId: key, rows } = row;
      const name = `${field}\0${key ?? ""}`;
      const count = counts.get(name) ?? { field, key, rows: 0, withoutOriginal: 0 };
      count.rows += rows;
      if (missing.has(row)) count.withoutOriginal += rows;
      counts.set(name, count);
    }
  }
  return [...counts.values()].sort((a, b) =>
    a.field.localeCompare(b.field) || (a.key ?? "").localeCompare(b.key ?? "")
  );
}

async function findWithoutOriginal(
  vault: Databases["vault"],
  found: readonly MaskCount[],
): Promise<ReadonlySet<MaskCount>> {
  const masks = found.filter((count): count is MaskCount & MaskedValue => count.mask !== null);
  if (masks.length === 0) return new Set();
  const present = await vault.query<MaskedValue>(findOriginals, [
    masks.map(({ field }) => field),
    masks.map(({ mask }) => mask),
  ]);
  const names = new Set(present.map(toMapKey));
  return new Set(masks.filter((count) => !names.has(toMapKey(count))));
}
