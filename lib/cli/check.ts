import { OperationError } from "../base/errors.ts";
import { findExposedSecrets } from "../config/check_settings.ts";
import { readSettings, SettingsError } from "../config/read_settings.ts";
import { login } from "../contract/login.ts";
import { checkCounters } from "../custody/books.ts";
import { findQueueWarnings } from "../queue/sqs/attributes.ts";
import { openSqs } from "../queue/sqs/open_sqs.ts";
import {
  checkSchema,
  durabilityWarnings,
  expectVaultHere,
} from "../store/postgres/check_schema.ts";
import type { Database, Statement } from "../store/postgres/database.ts";
import {
  missingPrivileges,
  missingVaultPrivileges,
  unneededPrivileges,
} from "../store/postgres/sql/privileges.ts";
import { probe } from "../store/postgres/sql/session.ts";
import type { StoredTable } from "../store/postgres/target_table.ts";
import { toStoredTable } from "../worker/contract.ts";
import { openOne } from "../worker/databases.ts";
import { longestBatchSeconds } from "../worker/worker.ts";
import { type WorkerSettings, workerSettings } from "../worker/settings.ts";
import { type Command, exit, type Io } from "./command.ts";

/** `maskline check` */
export const check: Command = {
  usage: "check [--offline | --health | --books]",
  help: `
Goes through everything that a worker needs: the settings, then the queue, the database and its
privileges, live. Receives nothing and writes nothing.

  --offline   the settings only, no network
  --health    ask the running worker at HTTP_ADDRESS whether it lives (for a container's health check)
  --books     also count the database's books: ledger = rows + removed + rejected (reads whole tables)

  maskline check --offline && maskline run`,
  options: {
    offline: { type: "boolean" },
    health: { type: "boolean" },
    books: { type: "boolean" },
  },
  async run(io, { flags }) {
    if (flags["health"]) return await askHealth(io);
    const settings = readChecked(io);
    if (!settings) return exit.wrongUsage;
    if (flags["offline"]) return exit.done;
    const queueFine = await item(io, "queue", () => checkQueue(settings));
    const databaseFine = await checkDatabase(io, settings, flags["books"] === true);
    const vaultFine = await checkVault(io, settings);
    return queueFine && databaseFine && vaultFine ? exit.done : exit.failed;
  },
};

function readChecked(io: Io): WorkerSettings | null {
  try {
    const settings = workerSettings(io);
    io.out("ok    settings\n");
    for (const remark of findExposedSecrets(io.source)) io.out(`note  ${remark}\n`);
    return settings;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    for (const problem of error.problems) io.out(`WRONG ${problem}\n`);
    return null;
  }
}

/** Runs one check and prints its line; a check answers with remarks, or throws. */
async function item(io: Io, name: string, run: () => Promise<readonly string[]>): Promise<boolean> {
  try {
    const remarks = await run();
    io.out(`ok    ${name}\n`);
    for (const remark of remarks) io.out(`note  ${remark}\n`);
    return true;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    io.out(`WRONG ${name}: ${error.message}\n`);
    return false;
  }
}

async function checkQueue(settings: WorkerSettings): Promise<readonly string[]> {
  const { queue, attributes } = await openSqs({
    url: settings.SQS_QUEUE_URL,
    maxCalls: 1,
    protocol: settings.SQS_PROTOCOL,
  });
  queue.close();
  const { visible, notVisible } = attributes;
  return [
    `about ${visible} messages wait and ${notVisible} are in flight`,
    ...findQueueWarnings(attributes, longestBatchSeconds(settings)),
  ];
}

async function checkDatabase(io: Io, settings: WorkerSettings, books: boolean): Promise<boolean> {
  const database = openOne(settings.DATABASE_URL, settings);
  try {
    const table = toStoredTable(login);
    const checks: [string, () => Promise<readonly string[]>][] = [
      ["database and schema", async () => {
        await checkSchema(database, table);
        if (settings.VAULT === "on" && !settings.VAULT_DATABASE_URL) {
          await expectVaultHere(database);
        }
        return [];
      }],
      ["database is writable", async () => {
        await database.query(probe);
        return await durabilityWarnings(database);
      }],
      ["privileges", () => checkPrivileges(database, settings)],
    ];
    if (books) checks.push(["books", () => checkCounters(database, table)]);
    for (const [name, run] of checks) {
      // Each check stands on the one before.
      if (!await item(io, name, run)) return false;
    }
    return true;
  } finally {
    await database.close();
  }
}

/** Where the vault has a database of its own, what a worker needs there. */
async function checkVault(io: Io, settings: WorkerSettings): Promise<boolean> {
  const { VAULT, VAULT_DATABASE_URL: url } = settings;
  if (VAULT === "off" || !url) return true;
  const database = openOne(url, settings);
  try {
    return await item(io, "the vault's own database", async () => {
      await checkSchema(database);
      await database.query(probe);
      await assertNoneMissing(database, missingVaultPrivileges());
      return [...await findUnneededPrivileges(database), ...await durabilityWarnings(database)];
    });
  } finally {
    await database.close();
  }
}

/** @throws {OperationError} privileges are missing */
async function assertNoneMissing(database: Database, missing: Statement): Promise<void> {
  const rows = await database.query<{ what: string }>(missing);
  if (rows.length === 0) return;
  throw new OperationError(`The role lacks ${rows.map(({ what }) => what).join(", ")}`);
}

async function checkPrivileges(
  database: Database,
  settings: WorkerSettings,
): Promise<readonly string[]> {
  const table = toStoredTable(login);
  const { DEDUPE_FIELD, VAULT, VAULT_DATABASE_URL } = settings;
  const dedupe = DEDUPE_FIELD !== undefined;
  const vault = VAULT === "on" && !VAULT_DATABASE_URL;
  await assertNoneMissing(database, missingPrivileges(table, { dedupe, vault }));
  return await findUnneededPrivileges(database, table);
}

async function findUnneededPrivileges(
  database: Database,
  table?: StoredTable,
): Promise<readonly string[]> {
  const excess = await database.query<{ what: string }>(unneededPrivileges(table));
  if (excess.length === 0) return [];
  const deeds = excess.map(({ what }) => what).join("; ");
  return [
    `the role may also ${deeds}; \`maskline migrate --print-grants\` prints a role that may not`,
  ];
}

/** How long a living worker may take to say so, in milliseconds. */
const HEALTH_TIMEOUT_MS = 3_000;

/** Asks the worker that runs on this machine whether it lives. */
export async function askHealth(io: Io): Promise<number> {
  const { HTTP_ADDRESS: address } = readSettings(io.source, []);
  if (address === "off") {
    io.err("HTTP_ADDRESS is off, so there is nobody to ask\n");
    return exit.wrongUsage;
  }
  // A worker that listens everywhere is asked where it surely is.
  const anywhere = address.hostname === "0.0.0.0" || address.hostname === "::";
  const host = anywhere ? "127.0.0.1" : address.hostname;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${address.port}/healthz`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    io.out(`${await response.text()}\n`);
    return response.ok ? exit.done : exit.failed;
  } catch (error) {
    io.err(`No worker answers at ${url} (${error instanceof Error ? error.name : "error"})\n`);
    return exit.failed;
  }
}
