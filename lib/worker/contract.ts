import type { Settings } from "../config/read_settings.ts";
import type { Contract } from "../contract/contract.ts";
import { login } from "../contract/login.ts";
import type { MaskedTable, StoredTable } from "../store/postgres/target_table.ts";

/** The contract as the settings want it. */
export function selectContract({ DEDUPE_FIELD: dedupeField }: Settings): Contract {
  return dedupeField === undefined ? login : { ...login, dedupeField };
}

/**
 * What is wrong with `DEDUPE_FIELD`: the values of that field are stored in clear, so a personal field
 * must not be it.
 *
 * @returns a sentence that begins with the setting's name, or none
 */
export function checkDedupeField({ DEDUPE_FIELD: name }: Settings): readonly string[] {
  const personal = login.fields.some((field) => field.personal && field.name === name);
  return personal
    ? [`DEDUPE_FIELD: ${name} is a personal field, whose values are stored as masks only`]
    : [];
}

/** The table of a contract, as the store needs to know it. */
export function toStoredTable({ table, fields, sentDate }: Contract): StoredTable {
  return { ...table, columns: fields.map(({ column }) => column), dateSent: sentDate };
}

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
