import type { Migration } from "./migrations.ts";

/**
 * The originals, each sealed to the vault's public key under its field and mask. Dates and not times:
 * `last_seen` is written at most once a day for a value, however often it comes.
 */
export const vault: Migration = {
  version: 4,
  name: "vault",
  sql: `
CREATE TABLE maskline.vault (
  field text COLLATE "C" NOT NULL,
  mask text COLLATE "C" NOT NULL,
  sealed bytea NOT NULL,
  key_id text NOT NULL,
  first_seen date NOT NULL,
  last_seen date NOT NULL,
  PRIMARY KEY (field, mask)
);`,
};
