import { originalParameters } from "./original_parameters.ts";
import type { Database } from "./postgres.ts";
import { keepOriginalsAlone } from "./sql/keep_originals.ts";
import { probe } from "./sql/probe.ts";
import type { Batch, CommitResult, Store } from "./store.ts";

/**
 * A store whose vault is another database. Originals are committed there first, and again where the
 * batch is tried again, which changes nothing. A row never commits before its original; an
 * original without its row can be: until the batch is tried again, or for good where its row was refused.
 */
export class VaultFirstStore implements Store {
  readonly #rows: Store;
  readonly #vault: Database;

  /** @param rows takes everything but the originals */
  constructor(rows: Store, vault: Database) {
    this.#rows = rows;
    this.#vault = vault;
  }

  async commit(batch: Batch): Promise<CommitResult> {
    if (batch.originals.length > 0) {
      await this.#vault.query(keepOriginalsAlone, originalParameters(batch.originals));
    }
    return await this.#rows.commit({ ...batch, originals: [] });
  }

  async probe(): Promise<void> {
    await this.#vault.query(probe);
    await this.#rows.probe();
  }

  async close(): Promise<void> {
    await Promise.all([this.#vault.close(), this.#rows.close()]);
  }
}
