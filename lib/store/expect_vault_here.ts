import type { Queryable } from "./postgres.ts";
import { vaultIsElsewhere } from "./sql/vault_place.ts";
import { StoreError } from "./store.ts";

/**
 * Refuses a database whose vault is another one, where that other one was not named: originals would be
 * sealed into the wrong place, or looked for there and not found, and what is removed then is lost.
 *
 * @throws {StoreError} `fatal`: VAULT_DATABASE_URL must be set
 */
export async function expectVaultHere(database: Queryable): Promise<void> {
  const [found] = await database.query<{ elsewhere: boolean }>(vaultIsElsewhere);
  if (!found?.elsewhere) return;
  throw new StoreError(
    "fatal",
    "schema",
    "The vault of these rows is in a database of its own; set VAULT_DATABASE_URL",
  );
}
