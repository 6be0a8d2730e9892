import type { Batch, CommitResult, OriginalRow, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { toOriginalParameters } from "./postgres_store.ts";
import { upsertOriginalsAlone } from "./sql/batch.ts";
import { findKnownEvents } from "./sql/ledger.ts";
import { probe } from "./sql/session.ts";

/** Options of {@linkcode VaultFirstStore}. */
export interface VaultFirstStoreOptions {
  /** Commits everything except the originals. */
  readonly store: Store;
  /** The database of that store, which knows the events that were committed before. */
  readonly rows: Database;
  readonly vault: Database;
}

/**
 * Stores rows in one database and originals in another. Originals are committed first, and again when the batch
 * is retried, which changes nothing. So an original may exist without its row: until the retry, or permanently
 * if the row was refused or if two workers received the same event at the same moment.
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
    const originals = await this.#selectNew(batch);
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

  /** Nothing of a duplicate is stored again: its person may have been forgotten since. */
  async #selectNew({ events, originals }: Batch): Promise<readonly OriginalRow[]> {
    if (originals.length === 0) return originals;
    const known = await this.#rows.query<{ message_id: string }>(findKnownEvents, [
      events.map(({ id }) => id),
      events.map(({ dateSent }) => dateSent),
      events.map(({ key }) => key ?? null),
    ]);
    if (known.length === 0) return originals;
    const duplicates = new Set(known.map(({ message_id }) => message_id));
    return originals.filter(({ id }) => !duplicates.has(id));
  }
}
