import { statement } from "../statement.ts";

/**
 * The originals, each sealed to the vault's public key under its field and mask. It has dates, not times, so
 * that `last_seen` is written at most once a day for a value, however often the value is received.
 */
export const vault = {
  version: 4,
  name: "vault",
  statement: statement(`
CREATE TABLE maskline.vault (
  field text COLLATE "C" NOT NULL,
  mask text COLLATE "C" NOT NULL,
  sealed bytea NOT NULL,
  key_id text NOT NULL,
  first_seen date NOT NULL,
  last_seen date NOT NULL,
  PRIMARY KEY (field, mask)
);`),
};
