import type { Statement } from "../postgres.ts";

/** Makes sure that the ledger has a partition a day; a function of the schema's owner does it. */
export const makeLedgerDays: Statement = {
  text: `SELECT maskline.make_ledger_days($1::date[])`,
};
