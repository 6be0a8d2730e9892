import {
  type Batch,
  type CommitResult,
  type EventRow,
  type OriginalRow,
  type RejectedRow,
  type Store,
  StoreError,
} from "../store.ts";
import type { Database, Parameter } from "./database.ts";
import { commitBatch } from "./sql/batch.ts";
import { createLedgerDays, findOwnMessages } from "./sql/ledger.ts";
import { probe } from "./sql/session.ts";
import type { Statement } from "./statement.ts";
import { listColumns, type StoredTable } from "./target_table.ts";

/** Options of {@linkcode PostgresStore}. */
export interface PostgresStoreOptions {
  /** Every event has a key, and an event whose key was committed before is a duplicate. Default false. */
  readonly dedupe?: boolean;
  /** Batches have originals for the vault of this database. Default false. */
  readonly vault?: boolean;
}

/** Stores rows in Postgres. */
export class PostgresStore implements Store {
  readonly #database: Database;
  readonly #commit: Statement;
  readonly #columns: number;
  readonly #dedupe: boolean;
  readonly #vault: boolean;
  /** Days for which the ledger certainly has a partition. */
  readonly #days = new Set<string>();
  /** Batches whose commit ended without an answer: they may be committed already. */
  readonly #unanswered = new Set<string>();

  constructor(
    database: Database,
    table: StoredTable,
    { dedupe = false, vault = false }: PostgresStoreOptions = {},
  ) {
    this.#database = database;
    this.#commit = commitBatch(table, { dedupe, vault });
    this.#columns = listColumns(table).length - 1;
    this.#dedupe = dedupe;
    this.#vault = vault;
  }

  async commit(batch: Batch): Promise<CommitResult> {
    await this.#createDays(batch);
    const isRetry = this.#unanswered.has(batch.id);
    this.#unanswered.add(batch.id);
    const rows = await this.#database.query<{ message_id: string }>(
      this.#commit,
      this.#toBatchParameters(batch),
    ).catch((error) => {
      // Postgres refused it, and the same batch is never retried.
      if (error instanceof StoreError && error.kind !== "transient") {
        this.#unanswered.delete(batch.id);
      }
      throw error;
    });
    const duplicates = new Set(rows.map((row) => row.message_id));
    if (isRetry && duplicates.size > 0) await this.#removeOwn(batch, duplicates);
    this.#unanswered.delete(batch.id);
    return { duplicates };
  }

  async probe(): Promise<void> {
    await this.#database.query(probe);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #toBatchParameters(batch: Batch): Parameter[] {
    const parameters = toBatchParameters(batch, this.#columns);
    if (this.#vault) parameters.push(...toOriginalParameters(batch.originals));
    if (this.#dedupe) parameters.push(batch.events.map(({ key }) => key ?? null));
    return parameters;
  }

  /** Removes from `duplicates` what an earlier attempt of the same batch committed. */
  async #removeOwn(batch: Batch, duplicates: Set<string>): Promise<void> {
    const members = [...batch.events, ...batch.rejections].filter(({ id }) => duplicates.has(id));
    const owned = await this.#database.query<{ message_id: string }>(findOwnMessages, [
      members.map(({ id }) => id),
      members.map(({ dateSent }) => dateSent),
      batch.id,
    ]);
    for (const { message_id } of owned) duplicates.delete(message_id);
  }

  async #createDays(batch: Batch): Promise<void> {
    const missing = new Set<string>();
    for (const { dateSent } of batch.events) if (!this.#days.has(dateSent)) missing.add(dateSent);
    for (const { dateSent } of batch.rejections) {
      if (!this.#days.has(dateSent)) missing.add(dateSent);
    }
    if (missing.size === 0) return;
    await this.#database.query(createLedgerDays, [[...missing]]);
    for (const day of missing) this.#days.add(day);
  }
}

/** Converts rows into columns, as `unnest` expects them, in the order of {@linkcode commitBatch}. */
function toBatchParameters(batch: Batch, columns: number): Parameter[] {
  const { events, rejections } = batch;
  const event = <T>(pick: (row: EventRow) => T) => events.map(pick);
  const rejected = <T>(pick: (row: RejectedRow) => T) => rejections.map(pick);
  return [
    batch.id,
    event(({ id }) => id),
    event(({ dateSent }) => dateSent),
    ...Array.from({ length: columns }, (_, index) => event(({ values }) => values[index] ?? null)),
    rejected(({ id }) => id),
    rejected(({ dateSent }) => dateSent),
    rejected(({ sentAt }) => new Date(sentAt).toISOString()),
    rejected(({ receiveCount }) => receiveCount),
    rejected(({ reason }) => reason),
    rejected(({ field }) => field),
    rejected(({ storeCode: sqlstate }) => sqlstate),
    rejected(({ sealed }) => sealed?.bytes ?? null),
    rejected(({ sealed }) => sealed?.keyId ?? null),
  ];
}

/** Converts originals into the parameters of {@linkcode upsertOriginals}. */
export function toOriginalParameters(originals: readonly OriginalRow[]): Parameter[] {
  // Several events may have the same value: its bytes are sent once.
  const places = new Map<Uint8Array, number>();
  let end = 0;
  for (const { sealed } of originals) {
    if (places.has(sealed)) continue;
    places.set(sealed, end);
    end += sealed.length;
  }
  const bytes = new Uint8Array(end);
  for (const [sealed, place] of places) bytes.set(sealed, place);
  return [
    originals.map(({ id }) => id),
    originals.map(({ field }) => field),
    originals.map(({ mask }) => mask),
    originals.map(({ dateSent }) => dateSent),
    originals[0]?.keyId ?? null,
    // SQL counts from 1.
    originals.map(({ sealed }) => (places.get(sealed) ?? 0) + 1),
    originals.map(({ sealed }) => sealed.length),
    bytes,
  ];
}
