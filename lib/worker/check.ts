import { OperationError } from "../base/errors.ts";
import { findQueueWarnings } from "../queue/sqs/attributes.ts";
import { openSqs } from "../queue/sqs/open_sqs.ts";
import {
  assertVaultHere,
  checkSchema,
  findDurabilityWarnings,
} from "../store/postgres/check_schema.ts";
import type { Queryable } from "../store/postgres/database.ts";
import {
  findMissingPrivileges,
  findMissingVaultPrivileges,
  findUnneededPrivileges,
} from "../store/postgres/sql/privileges.ts";
import { probe } from "../store/postgres/sql/session.ts";
import type { Statement } from "../store/postgres/statement.ts";
import type { StoredTable } from "../store/postgres/target_table.ts";
import { toStoredTable } from "./contract.ts";
import { Databases } from "./databases.ts";
import type { WorkerSettings } from "./settings.ts";
import { computeLongestBatchSeconds } from "./worker.ts";

/** One check: `run` returns warnings, a sentence each, and throws an {@linkcode OperationError} if it fails. */
export interface Check {
  readonly name: string;
  run(): Promise<readonly string[]>;
}

/** The result of one check. */
export interface CheckResult {
  readonly name: string;
  /** What is wrong and what to do; undefined if the check passed. */
  readonly failure?: string;
  readonly warnings: readonly string[];
}

/**
 * Checks everything that a worker needs: the queue, the database and its privileges, and the vault's own
 * database. Receives nothing and writes nothing. A check of the database is skipped if the one before it failed.
 *
 * @param more checks of the database that follow the others
 * @param report takes each result when it is known
 * @returns whether all checks passed
 */
export async function checkWorker(
  settings: WorkerSettings,
  more: (databases: Databases) => readonly Check[],
  report: (result: CheckResult) => void,
): Promise<boolean> {
  const run = async (checks: readonly Check[]) => {
    for (const check of checks) {
      const result = await runCheck(check);
      report(result);
      if (result.failure !== undefined) return false;
    }
    return true;
  };
  const isQueueFine = await run([{ name: "queue", run: () => checkQueue(settings) }]);
  const databases = new Databases(settings);
  try {
    const isDatabaseFine = await run([...listDatabaseChecks(databases), ...more(databases)]);
    const isVaultFine = await run(listVaultChecks(databases));
    return isQueueFine && isDatabaseFine && isVaultFine;
  } finally {
    await databases.close();
  }
}

async function runCheck({ name, run }: Check): Promise<CheckResult> {
  try {
    return { name, warnings: await run() };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { name, failure: error.message, warnings: [] };
  }
}

async function checkQueue(settings: WorkerSettings): Promise<readonly string[]> {
  const { queue, attributes } = await openSqs({
    url: settings.SQS_QUEUE_URL,
    maxCalls: 1,
    protocol: settings.SQS_PROTOCOL,
  });
  queue.close();
  const { visible, notVisible, delayed } = attributes;
  return [
    `about ${visible} messages wait, ${notVisible} are in flight and ${delayed} are delayed`,
    ...findQueueWarnings(attributes, computeLongestBatchSeconds(settings)),
  ];
}

/** Each check opens its database itself: a wrong parameter of a URL is a failed check, and the others run. */
function listDatabaseChecks(databases: Databases): readonly Check[] {
  const { settings, contract, isVaultApart } = databases;
  const table = toStoredTable(contract);
  const vault = settings.VAULT === "on" && !isVaultApart;
  return [
    {
      name: "database and schema",
      async run() {
        await checkSchema(databases.database, table);
        if (vault) await assertVaultHere(databases.database);
        return [];
      },
    },
    {
      name: "database is writable",
      async run() {
        await databases.database.query(probe);
        return await findDurabilityWarnings(databases.database);
      },
    },
    {
      name: "privileges",
      async run() {
        const dedupe = contract.dedupeField !== undefined;
        await assertNoneMissing(
          databases.database,
          findMissingPrivileges(table, { dedupe, vault }),
        );
        return await listUnneededPrivileges(databases.database, table);
      },
    },
  ];
}

function listVaultChecks(databases: Databases): readonly Check[] {
  if (databases.settings.VAULT === "off" || !databases.isVaultApart) return [];
  return [{
    name: "the vault's own database",
    async run() {
      const { vault } = databases;
      await checkSchema(vault);
      await vault.query(probe);
      await assertNoneMissing(vault, findMissingVaultPrivileges());
      return [...await listUnneededPrivileges(vault), ...await findDurabilityWarnings(vault)];
    },
  }];
}

/** @throws {OperationError} privileges are missing */
async function assertNoneMissing(database: Queryable, missing: Statement): Promise<void> {
  const rows = await database.query<{ what: string }>(missing);
  if (rows.length === 0) return;
  const privileges = rows.map(({ what }) => what).join(", ");
  throw new OperationError(
    `The role lacks ${privileges}; \`maskline migrate --print-grants\` prints a role that has them`,
  );
}

async function listUnneededPrivileges(
  database: Queryable,
  table?: StoredTable,
): Promise<readonly string[]> {
  const rows = await database.query<{ what: string }>(findUnneededPrivileges(table));
  if (rows.length === 0) return [];
  const privileges = rows.map(({ what }) => what).join("; ");
  return [
    `the role may also ${privileges}; \`maskline migrate --print-grants\` prints a role that may not`,
  ];
}
