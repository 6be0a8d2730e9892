import { OperationError } from "../base/errors.ts";
import { isMask } from "../mask/mask.ts";
import type { Queryable } from "../store/postgres/database.ts";
import { findRotation, preventRotation } from "../store/postgres/sql/rotation.ts";
import { findOriginals, lockOriginals, removeOriginals } from "../store/postgres/sql/vault.ts";
import {
  type CarrierCount,
  type MaskedValue,
  type RowStore,
  type SubjectTraces,
  toMapKey,
} from "../store/row_store.ts";
import type { Databases, Transaction } from "../worker/databases.ts";
import { type Justification, recordAudit } from "./audit.ts";

/** Who forgets and why, for the audit log. */
export interface ForgetOptions extends Justification {
  /** Report what would change, record that in the audit log, and change nothing else. */
  readonly dryRun: boolean;
}

/** The result for one mask. */
export interface ForgottenMask extends CarrierCount {
  /** There was an original, which is removed (or would be). */
  readonly hadOriginal: boolean;
}

/** What happens to a person's rows. */
export type RowsMode = "keep" | "delete" | "anonymise";

/** Options of {@linkcode forgetUser}. */
export interface ForgetUserOptions extends ForgetOptions {
  readonly rows: RowsMode;
}

/** A mask of the person, and what happens to its original. */
export interface MaskOfUser extends MaskedValue {
  /** It is removed, it stays because others have the mask too, or there was none. */
  readonly original: "removed" | "shared" | "absent";
  /** How many others have the mask; 0 if there is no original. */
  readonly others: number;
}

/** The result for a person; what it would be in a dry run. */
export interface ForgottenUser {
  /** Rows that name them; 0 for a person who is not there. */
  readonly rows: number;
  readonly masks: readonly MaskOfUser[];
  /** Different values in their masked columns that are not masks, and so may be originals. */
  readonly unmaskedValues: number;
}

/**
 * Removes the original of one mask, even if several people have it. The rows stay.
 *
 * @throws {OperationError} the mask key is being rotated; nothing was removed
 * @throws {StoreError} nothing was removed
 */
export function forgetMask(
  databases: Databases,
  value: MaskedValue,
  { dryRun, ...justification }: ForgetOptions,
): Promise<ForgottenMask> {
  return forgetInBoth(databases, dryRun, async (rows, vault) => {
    const hadOriginal = (await lookUpOriginals(vault, [value], dryRun)).length > 0;
    const counted = await rows.countCarriers(value);
    if (hadOriginal && !dryRun) await vault.query(removeOriginals, toFieldsAndMasks([value]));
    const detail = `one mask; ${hadOriginal ? 1 : 0} removed; ${counted.rows} rows have it`;
    await recordAudit(vault, {
      ...justification,
      action: "forget",
      subjects: [value],
      detail: dryRun ? `dry run; ${detail}` : detail,
    });
    return { hadOriginal, ...counted };
  });
}

/**
 * Removes the originals behind a person's masks that no other person's rows have, and their rows if `rows` says
 * so. The rows change first, then the originals are locked, and only then it is counted who shares them. So
 * every row that was committed next to a row that goes is seen. A worker that receives one of the values at the
 * same moment was either first and is counted, or waits and stores the original again.
 *
 * If the vault is in another database, it commits first: if only its part is committed, the person's rows still
 * exist, and a second run finds the rest by them.
 *
 * @throws {OperationError} the rows name no person, or the mask key is being rotated; nothing was changed
 * @throws {StoreError} nothing was changed, or the message says that only the vault's part was
 */
export function forgetUser(
  databases: Databases,
  user: string,
  { dryRun, rows: mode, ...justification }: ForgetUserOptions,
): Promise<ForgottenUser> {
  return forgetInBoth(databases, dryRun, async (rows, vault) => {
    if (!rows.hasSubject) {
      throw new OperationError("The rows of this contract name no person: use --field and --mask");
    }
    const traces = await rows.findTraces(user);
    const changed = dryRun ? traces.rows : await changeRows(rows, user, traces, mode);
    // A value that is not a mask may be an original, so it is counted and not reported.
    const known = traces.values.filter(({ mask }) => isMask(mask));
    const kept = await lookUpOriginals(vault, known, dryRun);
    const others = await rows.countOtherCarriers(user, kept);
    const masks = classify(known, kept, others);
    const removed = masks.filter(({ original }) => original === "removed");
    if (removed.length > 0 && !dryRun) {
      await vault.query(removeOriginals, toFieldsAndMasks(removed));
    }
    const unmaskedValues = traces.values.length - known.length;
    const result = { rows: changed, masks, unmaskedValues };
    await recordAudit(vault, {
      ...justification,
      action: "forget",
      subjects: removed.length > 0 && !dryRun ? removed : [{ field: null, mask: null }],
      detail: `${dryRun ? "dry run; " : ""}${describeResult(result, mode)}`,
    });
    return result;
  });
}

/**
 * Runs `work` in one transaction over the rows and the vault, after it took the locks. It refuses to forget during
 * a rotation, when an original may have two masks.
 *
 * @throws {OperationError} the mask key is being rotated
 */
function forgetInBoth<T>(
  databases: Databases,
  dryRun: boolean,
  work: (rows: RowStore, vault: Queryable) => Promise<T>,
): Promise<T> {
  return databases.transaction(async ({ database, rows, inVault }: Transaction) => {
    if (!dryRun) await rows.lockForgetting();
    await assertNotRotating(database, dryRun);
    return await inVault(async (vault) => {
      if (vault !== database) await assertNotRotating(vault, dryRun);
      return await work(rows, vault);
    });
  }, dryRun ? null : "The originals are removed, and the rows may be unchanged");
}

/** @throws {OperationError} the mask key is being rotated */
async function assertNotRotating(connection: Queryable, dryRun: boolean): Promise<void> {
  if (!dryRun) await connection.query(preventRotation);
  const [rotation] = await connection.query<{ present: boolean }>(findRotation);
  if (!rotation?.present) return;
  throw new OperationError(
    "The mask key is being rotated: finish `maskline rotate run` first. Nothing was changed",
  );
}

/** Finds which values have an original, and locks these until the transaction ends unless it is a dry run. */
function lookUpOriginals(
  vault: Queryable,
  values: readonly MaskedValue[],
  dryRun: boolean,
): Promise<MaskedValue[]> {
  return vault.query(dryRun ? findOriginals : lockOriginals, toFieldsAndMasks(values));
}

async function changeRows(
  rows: RowStore,
  user: string,
  traces: SubjectTraces,
  mode: RowsMode,
): Promise<number> {
  if (traces.rows === 0 || mode === "keep") return traces.rows;
  return mode === "delete"
    ? await rows.deleteRows(user, traces)
    : await rows.anonymiseRows(user, traces);
}

function classify(
  known: readonly MaskedValue[],
  kept: readonly MaskedValue[],
  others: readonly (MaskedValue & { readonly others: number })[],
): MaskOfUser[] {
  const keptKeys = new Set(kept.map(toMapKey));
  const counts = new Map(others.map((value) => [toMapKey(value), value.others]));
  return known.map((value) => {
    const count = counts.get(toMapKey(value)) ?? 0;
    const original = !keptKeys.has(toMapKey(value)) ? "absent" : count > 0 ? "shared" : "removed";
    return { ...value, original, others: count };
  });
}

function toFieldsAndMasks(values: readonly MaskedValue[]): [fields: string[], masks: string[]] {
  return [values.map(({ field }) => field), values.map(({ mask }) => mask)];
}

function describeResult(
  { rows, masks, unmaskedValues: foreign }: ForgottenUser,
  mode: RowsMode,
): string {
  const count = (state: MaskOfUser["original"]) =>
    masks.filter(({ original }) => original === state).length;
  return `one person; originals: ${count("removed")} removed, ${count("shared")} shared, ` +
    `${count("absent")} not kept; rows: ${rows} ${mode}` +
    (foreign > 0 ? `; ${foreign} values are not masks` : "");
}
