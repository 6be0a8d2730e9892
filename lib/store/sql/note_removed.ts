import type { Statement } from "../postgres.ts";

/** Notes why (`$1`) so many (`$2`) rows were removed, for the books. */
export const recordRemoved: Statement = {
  text: `INSERT INTO maskline.removed (why, rows) VALUES ($1::text, $2::bigint)`,
};
