import type { Settings } from "../config/read_settings.ts";
import type { Contract } from "../contract/contract.ts";
import { login } from "../contract/login.ts";
import type { MaskedTable, StoredTable } from "../store/postgres/target_table.ts";

/** Selects the contract of the settings: `login`, with the field of DEDUPE_FIELD if that is set. */
export function selectContract(
  { DEDUPE_FIELD: dedupeField }: Pick<Settings, "DEDUPE_FIELD">,
): Contract {
  return dedupeField === undefined ? login : { ...login, dedupeField };
}

/**
 * Checks that DEDUPE_FIELD is not a personal field, because its values are stored in clear.
 *
 * @returns a problem that begins with the setting's name, or nothing
 */
export function checkDedupeField({ DEDUPE_FIELD: name }: Settings): readonly string[] {
  const personal = login.fields.some((field) => field.personal && field.name === name);
  return personal
    ? [
      `DEDUPE_FIELD: expected a field that is not personal, got ${name}, whose values are stored as ` +
      "masks only",
    ]
    : [];
}

/** Lists the personal fields of a contract: those whose values are masked. */
export function listPersonalFields({ fields }: Contract): readonly string[] {
  return fields.filter(({ personal }) => personal).map(({ name }) => name);
}

/** Converts a contract into the table that takes its rows. */
export function toStoredTable({ table, fields, sentDate }: Contract): StoredTable {
  return { ...table, columns: fields.map(({ column }) => column), dateSent: sentDate };
}

/** Converts a contract into its table, with the columns for masks and the one that names the person. */
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
