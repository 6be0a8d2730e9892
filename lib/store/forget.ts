import type { Justification } from "./audit.ts";
import type { MaskedTable } from "./masked_table.ts";
import type { Database, Queryable } from "./postgres.ts";
import { lockForgetting } from "./sql/lock_forgetting.ts";
import { readCommitted } from "./sql/read_committed.ts";
import { holdRotation, rotationUnderWay } from "./sql/rotation_under_way.ts";
import { StoreError } from "./store.ts";

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
 * @throws {RangeError} the mask key is being rotated: an original may have two masks then
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
      throw new RangeError("The mask key is being rotated, finish that first: nothing was changed");
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
