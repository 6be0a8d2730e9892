import { OperationError } from "../base/errors.ts";
import type { Database, Queryable } from "../store/postgres/database.ts";
import { recordRemoved } from "../store/postgres/sql/counters.ts";
import { holdRotation, rotationUnderWay } from "../store/postgres/sql/rotation.ts";
import {
  anonymiseRows,
  countCarriers,
  countOthers,
  deleteRows,
  findMasks,
  lockForgetting,
  notNullColumns,
} from "../store/postgres/sql/rows.ts";
import { readCommitted } from "../store/postgres/sql/session.ts";
import { findOriginals, lockOriginals, removeOriginals } from "../store/postgres/sql/vault.ts";
import type { MaskedColumn, MaskedTable, StoredColumn } from "../store/postgres/target_table.ts";
import { StoreError } from "../store/store.ts";
import { type Justification, recordAudit } from "./audit.ts";

/** Where somebody is forgotten. */
export interface Forgetting {
  /** The rows. */
  readonly database: Database;
  /** The vault and the audit: the same database, or another one. */
  readonly vault: Database;
  readonly table: MaskedTable;
}

/** Who wants it and why, for the audit. */
export interface ForgetJustification extends Justification {
  /** Tell what would be done, note that in the audit, and do nothing else. */
  readonly dryRun: boolean;
}

/** An original, by what it is found. */
export interface OriginalKey {
  readonly field: string;
  readonly mask: string;
}

/**
 * Runs `work` in one transaction, or where the vault is another database in two: that of the vault commits
 * first. Whoever is half forgotten then still has rows, by which a second run finds the rest; the other
 * way round originals would stay that nobody finds any more.
 *
 * @throws {OperationError} the mask key is being rotated: an original may have two masks then
 * @throws {StoreError} nothing was changed, or else the message says what
 */
export async function inBothTransactions<T>(
  { database, vault }: Pick<Forgetting, "database" | "vault">,
  { dryRun }: Pick<ForgetJustification, "dryRun">,
  work: (rows: Queryable, vault: Queryable) => Promise<T>,
): Promise<T> {
  const prepare = async (connection: Queryable) => {
    await connection.query(readCommitted);
    if (!dryRun) {
      await connection.query(lockForgetting);
      await connection.query(holdRotation);
    }
    const [rotation] = await connection.query<{ present: boolean }>(rotationUnderWay);
    if (rotation?.present) {
      throw new OperationError(
        "The mask key is being rotated, finish that first: nothing was changed",
      );
    }
  };
  if (vault === database) {
    return await database.transaction(async (connection) => {
      await prepare(connection);
      return await work(connection, connection);
    });
  }
  let forgotten = false;
  try {
    return await database.transaction(async (rows) => {
      await prepare(rows);
      const result = await vault.transaction(async (connection) => {
        await prepare(connection);
        return await work(rows, connection);
      });
      forgotten = !dryRun;
      return result;
    });
  } catch (error) {
    if (!forgotten || !(error instanceof StoreError)) throw error;
    const { kind, code, message } = error;
    const half = "The originals are removed, but the rows may be as they were: run it again.";
    throw new StoreError(kind, code, `${half} ${message}`);
  }
}

/** The two lists that statements take. */
export function toFieldsAndMasks(
  keys: readonly OriginalKey[],
): [fields: string[], masks: string[]] {
  return [keys.map(({ field }) => field), keys.map(({ mask }) => mask)];
}

/** What became of one mask. */
export interface ForgottenMask {
  /** There was an original, which is removed now (or would be). */
  readonly kept: boolean;
  /** Rows that have the mask; they stay. */
  readonly rows: number;
  /** Of how many people; null where the rows name nobody. */
  readonly users: number | null;
}

/**
 * Removes the original of one mask, whoever has it.
 *
 * @throws {StoreError | OperationError} nothing was removed
 */
export function forgetMask(
  forgetting: Forgetting,
  { field, column }: MaskedColumn,
  mask: string,
  { dryRun, ...why }: ForgetJustification,
): Promise<ForgottenMask> {
  return inBothTransactions(forgetting, { dryRun }, async (rows, vault) => {
    const lists = toFieldsAndMasks([{ field, mask }]);
    const kept = (await vault.query(dryRun ? findOriginals : lockOriginals, lists)).length > 0;
    const [counted] = await rows.query<{ rows: string; users: string | null }>(
      countCarriers(forgetting.table, column),
      [mask],
    );
    if (kept && !dryRun) await vault.query(removeOriginals, lists);
    const detail = `one mask; ${kept ? 1 : 0} removed; ${counted?.rows ?? 0} rows have it`;
    await recordAudit(vault, {
      ...why,
      action: "forget",
      subjects: [{ field, mask }],
      detail: dryRun ? `dry run; ${detail}` : detail,
    });
    const users = counted?.users ?? null;
    return { kept, rows: Number(counted?.rows ?? 0), users: users === null ? null : Number(users) };
  });
}

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
 * @throws {StoreError | OperationError} nothing was changed, or else the message says what
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
