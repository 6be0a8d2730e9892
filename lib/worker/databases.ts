import { OperationError } from "../base/errors.ts";
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
import { checkDeferredConstraints, readCommitted } from "../store/postgres/sql/session.ts";
import { VaultFirstStore } from "../store/postgres/vault_first_store.ts";
import type { RowStore } from "../store/row_store.ts";
import { type Store, StoreError } from "../store/store.ts";
import { selectContract, toMaskedTable, toStoredTable } from "./contract.ts";

/** The connections of a transaction over the databases. */
export interface Transaction {
  /** To the rows, the ledger and the rejections. */
  readonly database: Queryable;
  readonly rows: RowStore;
  /**
   * Runs `work` on the vault and the audit log. In the database of the rows it is a part of the transaction. In
   * another database it is a transaction of its own, which commits when `work` ends and so before the rows: an
   * audit record of an action that then fails, or an original without its row, does less harm than the opposite.
   * Nothing connects to that database unless this is called.
   */
  inVault<T>(work: (vault: Queryable) => Promise<T>): Promise<T>;
}

/**
 * The databases of the settings, and where the vault is. Nothing else decides that. A database is opened when it
 * is first used, and connects with its first statement.
 */
export class Databases {
  readonly settings: Settings;
  readonly contract: Contract;
  readonly #connections: number;
  readonly #open = new Map<"DATABASE_URL" | "VAULT_DATABASE_URL", Database>();

  /** @param connections the most connections to each database, from 1. Default 1 */
  constructor(settings: Settings, { connections = 1 } = {}) {
    this.settings = settings;
    this.contract = selectContract(settings);
    this.#connections = connections;
  }

  /**
   * The database of the rows, the ledger and the rejections.
   *
   * @throws {OperationError} its URL is wrong
   */
  get database(): Database {
    return this.#get("DATABASE_URL");
  }

  /**
   * The database of the vault and the audit log: that of VAULT_DATABASE_URL, or else of DATABASE_URL.
   *
   * @throws {OperationError} its URL is wrong
   */
  get vault(): Database {
    return this.#get(this.isVaultApart ? "VAULT_DATABASE_URL" : "DATABASE_URL");
  }

  get rows(): RowStore {
    return new PostgresRowStore(this.database, toMaskedTable(this.contract));
  }

  /** Whether the vault is in a database of its own. */
  get isVaultApart(): boolean {
    return this.settings.VAULT_DATABASE_URL !== undefined;
  }

  #get(name: "DATABASE_URL" | "VAULT_DATABASE_URL"): Database {
    const known = this.#open.get(name);
    if (known) return known;
    const { [name]: url, STATEMENT_SECONDS: statementSeconds } = this.settings;
    if (!url) throw new TypeError(`${name} was not required`);
    try {
      const database = openDatabase({ url, connections: this.#connections, statementSeconds });
      this.#open.set(name, database);
      return database;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      throw new OperationError(`${name}: ${error.message}`, { cause: error });
    }
  }

  /**
   * Runs `work` in one transaction, with the vault in it or in one of its own.
   *
   * @param halfDone what the error says if only the vault's part was committed; null if that part changed nothing
   * @throws {StoreError} nothing was changed, or the message says that only the vault's part was
   */
  async transaction<T>(
    work: (transaction: Transaction) => Promise<T>,
    halfDone: string | null = "The vault's part is committed, and the rows may be unchanged",
  ): Promise<T> {
    const table = toMaskedTable(this.contract);
    let isVaultCommitted = false;
    const inOtherVault = async <R>(
      database: Queryable,
      part: (vault: Queryable) => Promise<R>,
    ): Promise<R> => {
      const result = await this.vault.transaction(async (vault) => {
        await vault.query(readCommitted);
        const done = await part(vault);
        // A deferred constraint of the rows must fail now, while the vault can still be rolled back.
        await database.query(checkDeferredConstraints);
        return done;
      });
      isVaultCommitted = true;
      return result;
    };
    try {
      return await this.database.transaction(async (database) => {
        await database.query(readCommitted);
        const rows = new PostgresRowStore(database, table);
        return await work({
          database,
          rows,
          inVault: (part) => this.isVaultApart ? inOtherVault(database, part) : part(database),
        });
      });
    } catch (error) {
      if (!isVaultCommitted || !halfDone || !(error instanceof StoreError)) throw error;
      const { kind, code, message } = error;
      throw new StoreError(
        // No single row is at fault for a transaction that is half done.
        kind === "data" ? "fatal" : kind,
        code,
        `${halfDone}: run the command again. ${message}`,
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
    await Promise.all([...this.#open.values()].map((database) => database.close()));
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
 * @throws {OperationError} a certificate or a parameter of a URL is wrong
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
