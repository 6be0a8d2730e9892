import { noteAudit } from "./audit.ts";
import { type Forgetting, type ForgetWhy, inBoth, listsOf, type OriginalKey } from "./forget.ts";
import type { MaskedTable } from "./masked_table.ts";
import type { Queryable } from "./postgres.ts";
import { anonymiseRowsOf } from "./sql/anonymise_rows_of.ts";
import { countOthers } from "./sql/count_others.ts";
import { deleteRowsOf } from "./sql/delete_rows_of.ts";
import { findOriginals, lockOriginals } from "./sql/find_originals.ts";
import { masksOfSubject } from "./sql/masks_of_subject.ts";
import { notNullColumns } from "./sql/not_null_columns.ts";
import { noteRemoved } from "./sql/note_removed.ts";
import { removeOriginals } from "./sql/remove_originals.ts";
import type { StoredColumn } from "./stored_table.ts";

/** What is to become of a person's rows. */
export type RowsMode = "keep" | "delete" | "anonymise";

/** Options of {@linkcode forgetUser}. */
export interface ForgetUserOptions extends ForgetWhy {
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
  return inBoth(forgetting, { dryRun }, async (rows, vault) => {
    const traces = await tracesOf(rows, table, subject, user);
    const changed = dryRun || traces.rows === 0 || mode === "keep"
      ? traces.rows
      : await changeRows(rows, table, subject, user, traces, mode);
    const known = traces.values.filter(({ mask }) => isMask(mask));
    const kept = await vault.query<OriginalKey>(
      dryRun ? findOriginals : lockOriginals,
      listsOf(known),
    );
    const others = await othersWith(rows, table, subject, user, kept);
    const keys = new Set(kept.map(keyOf));
    const masks = known.map((value): MaskOfUser => {
      const count = others.get(keyOf(value)) ?? 0;
      const original = !keys.has(keyOf(value)) ? "absent" : count > 0 ? "shared" : "removed";
      return { ...value, original, others: count };
    });
    const removed = masks.filter(({ original }) => original === "removed");
    if (removed.length > 0 && !dryRun) await vault.query(removeOriginals, listsOf(removed));
    const foreign = traces.values.length - known.length;
    const result = { rows: changed, masks, foreign };
    await noteAudit(vault, {
      ...why,
      action: "forget",
      subjects: removed.length > 0 && !dryRun ? removed : [{ field: null, mask: null }],
      detail: `${dryRun ? "dry run; " : ""}${detailOf(result, mode)}`,
    });
    return result;
  });
}

async function tracesOf(
  rows: Queryable,
  table: MaskedTable,
  subject: StoredColumn,
  user: string,
): Promise<Traces> {
  const found = await rows.query<
    { field: string | null; mask: string | null; rows: string }
  >(masksOfSubject(table, subject), [user]);
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
    ? deleteRowsOf(table, subject)
    : anonymiseRowsOf(table, subject, await notNullOf(rows, table));
  const [changed] = await rows.query<{ rows: string }>(statement, [
    user,
    ...byColumn(table, values),
  ]);
  const count = Number(changed?.rows ?? 0);
  if (mode === "delete" && count > 0) await rows.query(noteRemoved, ["forget", count]);
  return count;
}

async function notNullOf(rows: Queryable, { schema, name }: MaskedTable): Promise<Set<string>> {
  const found = await rows.query<{ name: string }>(notNullColumns, [schema, name]);
  return new Set(found.map((column) => column.name));
}

/** How many others have each of these masks, by {@linkcode keyOf}. */
async function othersWith(
  rows: Queryable,
  table: MaskedTable,
  subject: StoredColumn,
  user: string,
  kept: readonly OriginalKey[],
): Promise<ReadonlyMap<string, number>> {
  if (kept.length === 0) return new Map();
  const found = await rows.query<OriginalKey & { others: string }>(countOthers(table, subject), [
    user,
    ...listsOf(kept),
    ...byColumn(table, kept),
  ]);
  return new Map(found.map((value) => [keyOf(value), Number(value.others)]));
}

/** The masks of each masked column, in their order. */
function byColumn({ masked }: MaskedTable, values: readonly OriginalKey[]): string[][] {
  return masked.map((column) =>
    values.filter(({ field }) => field === column.field).map(({ mask }) => mask)
  );
}

/** Neither a field nor a mask has a space. */
function keyOf({ field, mask }: OriginalKey): string {
  return `${field} ${mask}`;
}

function detailOf({ rows, masks, foreign }: ForgottenUser, mode: RowsMode): string {
  const count = (wanted: MaskOfUser["original"]) =>
    masks.filter(({ original }) => original === wanted).length;
  return `one person; originals: ${count("removed")} removed, ${count("shared")} shared, ` +
    `${count("absent")} not kept; rows: ${rows} ${mode}` +
    (foreign > 0 ? `; ${foreign} values are no masks` : "");
}
