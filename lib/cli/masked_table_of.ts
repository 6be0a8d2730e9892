import type { Contract } from "../event/contract.ts";
import type { MaskedTable } from "../store/masked_table.ts";
import { toStoredTable } from "./stored_table_of.ts";

/** The table of a contract, with the columns that hold masks and the one that names the person. */
export function toMaskedTable(contract: Contract): MaskedTable {
  const { fields, subject } = contract;
  return {
    ...toStoredTable(contract),
    masked: fields.flatMap(({ name, column, personal }) =>
      personal ? [{ field: name, column }] : []
    ),
    subject: fields.find(({ name }) => name === subject)?.column,
  };
}
