import type { Contract } from "../event/contract.ts";
import type { StoredTable } from "../store/stored_table.ts";

/** The table of a contract, as the store needs to know it. */
export function toStoredTable({ table, fields, sentDate }: Contract): StoredTable {
  return { ...table, columns: fields.map(({ column }) => column), dateSent: sentDate };
}
