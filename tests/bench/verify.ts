import type { TestDatabase } from "../support/test_database.ts";
import type { Contestant } from "./contestant.ts";

/** What the tables must contain after a run. */
export interface ExpectedContent {
  /** The first characters of the run's user ids. */
  readonly tag: string;
  readonly messages: number;
  /** Entries of the ledger before the run. */
  readonly ledger: number;
}

/** Counts the entries of Maskline's ledger. Returns 0 if there is no ledger. */
export async function countLedger(
  database: TestDatabase,
  schema: Contestant["schema"],
): Promise<number> {
  if (schema !== "maskline") return 0;
  const [row] = await database.query<{ count: string }>("SELECT count(*) FROM maskline.ledger");
  return Number(row?.count);
}

/**
 * Verifies that the work was done: exactly one row for each message, every personal value masked, and a
 * ledger entry for each message if there is a ledger. The figures of a run count only then.
 *
 * @throws {Error} it was not done
 */
export async function verifyRows(
  database: TestDatabase,
  schema: Contestant["schema"],
  { tag, messages, ledger }: ExpectedContent,
): Promise<void> {
  const [found] = await database.query<Record<"rows" | "users" | "masked", string>>(
    // The shortest encoding of 32 bytes, base64 without padding, has 43 characters.
    `SELECT count(*) AS rows, count(DISTINCT user_id) AS users, count(*) FILTER (
      WHERE length(masked_ip) >= 43 AND length(masked_device_id) >= 43
        AND app_version IS NOT NULL AND create_date IS NOT NULL
    ) AS masked FROM user_logins WHERE user_id LIKE $1`,
    [`${tag}-%`],
  );
  for (const name of ["rows", "users", "masked"] as const) {
    if (Number(found?.[name]) === messages) continue;
    throw new Error(`Expected ${messages} ${name} in the table, got ${found?.[name]}`);
  }
  const entries = await countLedger(database, schema) - ledger;
  if (schema === "maskline" && entries !== messages) {
    throw new Error(`Expected ${messages} entries in the ledger, got ${entries}`);
  }
}

/**
 * Verifies that the vault has the original of every mask in the run's rows.
 *
 * @throws {Error} an original is missing
 */
export async function verifyVault(database: TestDatabase, tag: string): Promise<void> {
  const [found] = await database.query<Record<"masks" | "kept", string>>(
    `SELECT count(*) AS masks, count(sealed) AS kept FROM (
      SELECT DISTINCT 'ip' AS field, masked_ip AS mask FROM user_logins WHERE user_id LIKE $1
      UNION ALL
      SELECT DISTINCT 'device_id', masked_device_id FROM user_logins WHERE user_id LIKE $1
    ) AS masks LEFT JOIN maskline.vault USING (field, mask)`,
    [`${tag}-%`],
  );
  if (found?.masks === found?.kept) return;
  throw new Error(`Expected ${found?.masks} originals in the vault, got ${found?.kept}`);
}
