import { login } from "../../lib/contract/login.ts";
import { doesNotMatch, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { checkCounters } from "../../lib/custody/books.ts";
import { type AuditEntry, computeAuditHash, NO_HASH } from "../../lib/custody/verify_audit.ts";
import { readAuditEntries } from "../../lib/store/postgres/sql/audit.ts";
import { fakeIo } from "./fake_io.ts";
import type { FilledVault } from "./filled_vault.ts";
import type { TestDatabase } from "./test_database.ts";
import { open } from "./test_store.ts";

/** The result of a run of `maskline forget`. */
export interface Forgotten {
  readonly code: number;
  readonly lines: readonly string[];
  readonly err: string;
}

/**
 * Matches the users and devices of these tests, so that a test can check that they are not in a text. It
 * matches no mask: base64url has no colon.
 */
export const CANARY = /zq:/i;

/**
 * Runs `maskline forget` with a reason and a user on standard input. Checks that neither an id nor an
 * original is in its output or in the audit log.
 */
export async function forget(
  filled: FilledVault,
  args: readonly string[],
  stdin = "",
): Promise<Forgotten> {
  const io = fakeIo({ stdin, settings: filled.settings });
  const code = await main(["forget", "--reason", "asked for it", ...args], io);
  const { out, err } = io.written;
  doesNotMatch(out + err, CANARY);
  doesNotMatch(JSON.stringify(await auditOf(filled)), CANARY);
  return { code, lines: out.split("\n").slice(0, -1), err };
}

/** Forgets a person by their id on standard input. */
export function forgetUser(
  filled: FilledVault,
  user: string,
  ...args: readonly string[]
): Promise<Forgotten> {
  return forget(filled, ["--user", "-", ...args], `${user}\n`);
}

/** Returns the entries of the audit log, and checks their chain. */
export async function auditOf({ vault }: FilledVault): Promise<AuditEntry[]> {
  const entries = await vault.query<AuditEntry>(readAuditEntries.text, [0, 10_000]);
  let before = NO_HASH;
  for (const entry of entries) {
    strictEqual(entry.before, before);
    strictEqual(computeAuditHash(entry), entry.hash);
    before = entry.hash;
  }
  return entries;
}

/** Returns the warnings of `check --books`. */
export async function booksOf({ rows }: FilledVault): Promise<readonly string[]> {
  const database = open({ url: new URL(rows.url) });
  try {
    return await checkCounters({ database, contract: login });
  } finally {
    await database.close();
  }
}

/** Returns the table's rows as JSON, in alphabetical order. */
export async function rowsOf({ rows }: FilledVault): Promise<string[]> {
  const found = await rows.query<{ row: string }>(
    "SELECT row_to_json(stored)::text AS row FROM user_logins AS stored ORDER BY 1",
  );
  return found.map(({ row }) => row);
}

/** Counts the statements in a database that wait for another transaction. */
export async function waiting(database: TestDatabase): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    `SELECT count(*)::integer FROM pg_stat_activity
      WHERE wait_event_type = 'Lock' AND datname = current_database()`,
  );
  return row?.count ?? 0;
}
