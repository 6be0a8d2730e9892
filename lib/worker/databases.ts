import { readSettings, type Settings, type Source } from "../config/read_settings.ts";
import type { SettingName } from "../config/settings.ts";
import type { Contract } from "../contract/contract.ts";
import {
  assertVaultHere,
  checkSchema,
  findDurabilityWarnings,
} from "../store/postgres/check_schema.ts";
import { type Database, openDatabase, type Queryable } from "../store/postgres/database.ts";
import { PostgresStore } from "../store/postgres/postgres_store.ts";
import { PostgresRowStore } from "../store/postgres/row_store.ts";
import { readCommitted } from "../store/postgres/sql/session.ts";
import { VaultFirstStore } from "../store/postgres/vault_first_store.ts";
import type { RowStore } from "../store/row_store.ts";
import { type Store, StoreError } from "../store/store.ts";
import { selectContract, toMaskedTable, toStoredTable } from "./contract.ts";

/** One connection to each database, within a transaction. */
export interface Connections {
  /** To the rows, the ledger and the rejections. */
  readonly database: Queryable;
  /** To the vault and the audit log: the same connection unless the vault is in another database. */
  readonly vault: Queryable;
  readonly rows: RowStore;
}

/**
 * The databases of the settings, and where the vault is. Nothing else decides that. Nothing connects before the
 * first statement.
 */
export class Databases implements Connections {
  readonly settings: Settings;
  readonly contract: Contract;
  /** The database of the vault and the audit log: that of VAULT_DATABASE_URL, or else of DATABASE_URL. */
  readonly vault: Database;
  readonly #database: Database | undefined;

  /**
   * @param connections the most connections to each database
   * @throws {TypeError} neither URL is set: the caller did not require one
   */
  constructor(settings: Settings, { connections = 1 } = {}) {
    this.settings = settings;
    this.contract = selectContract(settings);
    const { DATABASE_URL, VAULT_DATABASE_URL, STATEMENT_SECONDS: statementSeconds } = settings;
    const open = (url: URL) => openDatabase({ url, connections, statementSeconds });
    this.#database = DATABASE_URL && open(DATABASE_URL);
    const vault = VAULT_DATABASE_URL ? open(VAULT_DATABASE_URL) : this.#database;
    if (!vault) throw new TypeError("No database is set");
    this.vault = vault;
  }

  /** The database of the rows, the ledger and the rejections. */
  get database(): Database {
    if (!this.#database) throw new TypeError("DATABASE_URL was not required");
    return this.#database;
  }

  get rows(): RowStore {
    return new PostgresRowStore(this.database, toMaskedTable(this.contract));
  }

  /** Whether the vault is in a database of its own. */
  get isVaultApart(): boolean {
    return this.vault !== this.#database;
  }

  /**
   * Runs `work` in one transaction, or in two if the vault is in another database: that of the vault commits
   * first. An audit record of an action that then fails, or an original without its row, does less harm than
   * the opposite.
   *
   * @throws {StoreError} nothing was changed, or the message says that only the vault's part was
   */
  async transaction<T>(work: (connections: Connections) => Promise<T>): Promise<T> {
    const table = toMaskedTable(this.contract);
    if (!this.isVaultApart) {
      return await this.database.transaction(async (connection) => {
        await connection.query(readCommitted);
        const rows = new PostgresRowStore(connection, table);
        return await work({ database: connection, vault: connection, rows });
      });
    }
    let isVaultCommitted = false;
    try {
      return await this.database.transaction(async (database) => {
        await database.query(readCommitted);
        const rows = new PostgresRowStore(database, table);
        const result = await this.vault.transaction(async (vault) => {
          await vault.query(readCommitted);
          return await work({ database, vault, rows });
        });
        isVaultCommitted = true;
        return result;
      });
    } catch (error) {
      if (!isVaultCommitted || !(error instanceof StoreError)) throw error;
      const { kind, code, message } = error;
      throw new StoreError(
        kind,
        code,
        `The vault's database committed, and the rows may be unchanged: run the command again. ${message}`,
      );
    }
  }

  /** Creates the store of a worker. The vault is written with the rows, or first if it is in another database. */
  createStore(): Store {
    const table = toStoredTable(this.contract);
    const dedupe = this.contract.dedupeField !== undefined;
    const isVaultOn = this.settings.VAULT === "on";
    if (!isVaultOn || !this.isVaultApart) {
      return new PostgresStore(this.database, table, { dedupe, vault: isVaultOn });
    }
    const store = new PostgresStore(this.database, table, { dedupe });
    return new VaultFirstStore({ store, rows: this.database, vault: this.vault });
  }

  /**
   * Checks that the databases fit a worker of these settings.
   *
   * @returns warnings, a sentence each
   * @throws {StoreError} `fatal`: a database does not fit; `transient`: it does not answer
   */
  async prepare(): Promise<string[]> {
    await checkSchema(this.database, toStoredTable(this.contract));
    const warnings = await findDurabilityWarnings(this.database);
    if (this.settings.VAULT === "off") return warnings;
    if (!this.isVaultApart) {
      await assertVaultHere(this.database);
      return warnings;
    }
    await checkSchema(this.vault);
    return [...warnings, ...await findDurabilityWarnings(this.vault)];
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    await this.#database?.close();
    if (this.isVaultApart) await this.vault.close();
  }
}

/** What a command needs of the databases. */
export interface DatabaseNeeds {
  /**
   * Which of them: `rows` is DATABASE_URL alone. `vault` is VAULT_DATABASE_URL or else DATABASE_URL, so that a
   * person who may reveal originals needs no access to the rows. Default `all`.
   */
  readonly uses?: "all" | "rows" | "vault";
  /** Other settings that the command requires. */
  readonly settings?: readonly SettingName[];
}

/**
 * Opens the databases of the settings for a command, with one connection each, and closes them when `work` ends.
 *
 * @throws {SettingsError} a required setting is not set, or a setting is wrong
 * @throws {StoreError} the vault is in another database and VAULT_DATABASE_URL is not set; or no answer
 */
export async function withDatabases<T>(
  source: Source,
  { uses = "all", settings: needs = [] }: DatabaseNeeds,
  work: (databases: Databases) => Promise<T>,
): Promise<T> {
  // By what is set and not by what was read: a wrong VAULT_DATABASE_URL is not a missing DATABASE_URL.
  const isVaultNamed = source.get("VAULT_DATABASE_URL") || source.get("VAULT_DATABASE_URL_FILE");
  const isVaultEnough = uses === "vault" && isVaultNamed;
  const settings = readSettings(source, isVaultEnough ? needs : ["DATABASE_URL", ...needs]);
  const databases = new Databases(settings);
  try {
    if (uses !== "rows" && !databases.isVaultApart) await assertVaultHere(databases.vault);
    return await work(databases);
  } finally {
    await databases.close();
  }
}
