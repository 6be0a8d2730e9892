import type { Migration } from "./migrations.ts";

/**
 * A rotation of the mask key that is under way: the new mask of each old one. Empty once it is done,
 * since it links masks of two keys.
 */
export const rotation: Migration = {
  version: 7,
  name: "rotation",
  sql: `
CREATE TABLE maskline.rotation (
  field text COLLATE "C" NOT NULL,
  old_mask text COLLATE "C" NOT NULL,
  new_mask text COLLATE "C" NOT NULL,
  PRIMARY KEY (field, old_mask)
);`,
};
