import { statement } from "../statement.ts";

/**
 * The steps of a rotation of the mask key: the new mask of each old one. Empty when the rotation is complete,
 * because it links masks of two keys.
 */
export const rotation = {
  version: 7,
  name: "rotation",
  statement: statement(`
CREATE TABLE maskline.rotation (
  field text COLLATE "C" NOT NULL,
  old_mask text COLLATE "C" NOT NULL,
  new_mask text COLLATE "C" NOT NULL,
  PRIMARY KEY (field, old_mask)
);`),
};
