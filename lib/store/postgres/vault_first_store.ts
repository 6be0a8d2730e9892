import type { Batch, CommitResult, OriginalRow, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { toOriginalParameters } from "./postgres_store.ts";
import { knownEvents, upsertOriginalsAlone } from "./sql/batch.ts";
import { probe } from "./sql/session.ts";

/** Options of {@linkcode VaultFirstStore}. */
export interface VaultFirstStoreOptions {
  /** Takes everything but the originals. */
  readonly store: Store;
  /** The database of that store, which knows the events that came before. */
  readonly rows: Database;
  readonly vault: Database;
}

/**
 * A store whose vault is another database. Originals are committed there first, and again where the
 * batch is tried again, which changes nothing. An original without its row can be: until the batch is
 * tried again, or for good where its row was refused, or where the same event came twice in one moment.
 */
export class VaultFirstStore implements Store {
  readonly #store: Store;
  readonly #rows: Database;
  readonly #vault: Database;

  constructor({ store, rows, vault }: VaultFirstStoreOptions) {
    this.#store = store;
    this.#rows = rows;
    this.#vault = vault;
  }

  async commit(batch: Batch): Promise<CommitResult> {
    const originals = await this.#fresh(batch);
    if (originals.length > 0) {
      await this.#vault.query(upsertOriginalsAlone, toOriginalParameters(originals));
    }
    return await this.#store.commit({ ...batch, originals: [] });
  }

  async probe(): Promise<void> {
    await this.#vault.query(probe);
    await this.#store.probe();
  }

  async close(): Promise<void> {
    await Promise.all([this.#vault.close(), this.#store.close()]);
  }

  /** Of a duplicate nothing is kept again: its person may have been forgotten since. */
  async #fresh({ events, originals }: Batch): Promise<readonly OriginalRow[]> {
    if (originals.length === 0) return originals;
    const known = await this.#rows.query<{ message_id: string }>(knownEvents, [
      events.map(({ id }) => id),
      events.map(({ dateSent }) => dateSent),
      events.map(({ key }) => key ?? null),
    ]);
    if (known.length === 0) return originals;
    const duplicates = new Set(known.map(({ message_id }) => message_id));
    return originals.filter(({ id }) => !duplicates.has(id));
  }
}
