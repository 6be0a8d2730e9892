import { recordAudit } from "./audit.ts";
import {
  type ForgetJustification,
  type Forgetting,
  inBothTransactions,
  type OriginalKey,
  toFieldsAndMasks,
} from "./forget.ts";
import type { MaskedTable } from "./masked_table.ts";
import type { Queryable } from "./postgres.ts";
import { anonymiseRows } from "./sql/anonymise_rows_of.ts";
import { countOthers } from "./sql/count_others.ts";
import { deleteRows } from "./sql/delete_rows_of.ts";
import { findOriginals, lockOriginals } from "./sql/find_originals.ts";
import { findMasks } from "./sql/masks_of_subject.ts";
import { notNullColumns } from "./sql/not_null_columns.ts";
import { recordRemoved } from "./sql/note_removed.ts";
import { removeOriginals } from "./sql/remove_originals.ts";
import type { StoredColumn } from "./stored_table.ts";

/** What is to become of a person's rows. */
export type RowsMode = "keep" | "delete" | "anonymise";

/** Options of {@linkcode forgetUser}. */
export interface ForgetUserOptions extends ForgetJustification {
  readonly rows: RowsMode;
  /** Tells a mask from what another hand put into the column: that may be an original, and is not told. */
  readonly isMask: (text: string) => boolean;
}

/** A mask of the person, and what becomes of its original. */
export interface MaskOfUser extends OriginalKey {
  /** It is removed, it stays since others have the mask too, or none was kept. */
  readonly original: "removed" | "shared" | "absent";
  /** How many others have the mask; 0 where no original is kept. */
  readonly others: number;
}

/** What became of a person; what would become in a dry run. */
export interface ForgottenUser {
  /** Rows that name them; 0 for somebody who is not there. */
  readonly rows: number;
  readonly masks: readonly MaskOfUser[];
  /** Different values in their masked columns that are no masks. */
  readonly foreign: number;
}

/** What the rows of a person hold. */
interface Traces {
  readonly rows: number;
  readonly values: readonly OriginalKey[];
}

/**
 * Removes the originals behind a person's masks that nobody else's rows have, and their rows where that is
 * wanted. Rows first, then the lock on the originals, and only then the look at who shares them: so
 * whatever was committed beside a row that goes is seen, and a worker that brings one of the values at
 * the same moment either was first and counts, or waits and brings the original again.
 *
 * @param subject the column that names the person
 * @throws {StoreError | RangeError} nothing was changed, or else the message says what
 */
export function forgetUser(
  forgetting: Forgetting,
  subject: StoredColumn,
  user: string,
  { dryRun, rows: mode, isMask, ...why }: ForgetUserOptions,
): Promise<ForgottenUser> {
  const { table } = forgetting;
  return inBothTransactions(forgetting, { dryRun }, async (rows, vault) => {
    const traces = await findTraces(rows, table, subject, user);
    const changed = dryRun || traces.rows === 0 || mode === "keep"
      ? traces.rows
      : await changeRows(rows, table, subject, user, traces, mode);
    const known = traces.values.filter(({ mask }) => isMask(mask));
    const kept = await vault.query<OriginalKey>(
      dryRun ? findOriginals : lockOriginals,
      toFieldsAndMasks(known),
    );
    const others = await countOtherCarriers(rows, table, subject, user, kept);
    const keys = new Set(kept.map(joinKey));
    const masks = known.map((value): MaskOfUser => {
      const count = others.get(joinKey(value)) ?? 0;
      const original = !keys.has(joinKey(value)) ? "absent" : count > 0 ? "shared" : "removed";
      return { ...value, original, others: count };
    });
    const removed = masks.filter(({ original }) => original === "removed");
    if (removed.length > 0 && !dryRun) {
      await vault.query(removeOriginals, toFieldsAndMasks(removed));
    }
    const foreign = traces.values.length - known.length;
    const result = { rows: changed, masks, foreign };
    await recordAudit(vault, {
      ...why,
      action: "forget",
      subjects: removed.length > 0 && !dryRun ? removed : [{ field: null, mask: null }],
      detail: `${dryRun ? "dry run; " : ""}${describeResult(result, mode)}`,
    });
    return result;
  });
}

async function findTraces(
  rows: Queryable,
  table: MaskedTable,
  subject: StoredColumn,
  user: string,
): Promise<Traces> {
  const found = await rows.query<
    { field: string | null; mask: string | null; rows: string }
  >(findMasks(table, subject), [user]);
  const values = found.flatMap(({ field, mask }) =>
    field === null || mask === null ? [] : [{ field, mask }]
  );
  return { rows: Number(found.find(({ field }) => field === null)?.rows ?? 0), values };
}

/** Removes or anonymises the rows and tells how many. */
async function changeRows(
  rows: Queryable,
  table: MaskedTable,
  subject: StoredColumn,
  user: string,
  { values }: Traces,
  mode: "delete" | "anonymise",
): Promise<number> {
  const statement = mode === "delete"
    ? deleteRows(table, subject)
    : anonymiseRows(table, subject, await readNotNullColumns(rows, table));
  const [changed] = await rows.query<{ rows: string }>(statement, [
    user,
    ...groupByColumn(table, values),
  ]);
  const count = Number(changed?.rows ?? 0);
  if (mode === "delete" && count > 0) await rows.query(recordRemoved, ["forget", count]);
  return count;
}

async function readNotNullColumns(
  rows: Queryable,
  { schema, name }: MaskedTable,
): Promise<Set<string>> {
  const found = await rows.query<{ name: string }>(notNullColumns, [schema, name]);
  return new Set(found.map((column) => column.name));
}

/** How many others have each of these masks, by {@linkcode joinKey}. */
async function countOtherCarriers(
  rows: Queryable,
  table: MaskedTable,
  subject: StoredColumn,
  user: string,
  kept: readonly OriginalKey[],
): Promise<ReadonlyMap<string, number>> {
  if (kept.length === 0) return new Map();
  const found = await rows.query<OriginalKey & { others: string }>(countOthers(table, subject), [
    user,
    ...toFieldsAndMasks(kept),
    ...groupByColumn(table, kept),
  ]);
  return new Map(found.map((value) => [joinKey(value), Number(value.others)]));
}

/** The masks of each masked column, in their order. */
function groupByColumn({ masked }: MaskedTable, values: readonly OriginalKey[]): string[][] {
  return masked.map((column) =>
    values.filter(({ field }) => field === column.field).map(({ mask }) => mask)
  );
}

/** Neither a field nor a mask has a space. */
function joinKey({ field, mask }: OriginalKey): string {
  return `${field} ${mask}`;
}

function describeResult({ rows, masks, foreign }: ForgottenUser, mode: RowsMode): string {
  const count = (wanted: MaskOfUser["original"]) =>
    masks.filter(({ original }) => original === wanted).length;
  return `one person; originals: ${count("removed")} removed, ${count("shared")} shared, ` +
    `${count("absent")} not kept; rows: ${rows} ${mode}` +
    (foreign > 0 ? `; ${foreign} values are no masks` : "");
}
