import type { Settings } from "../config/read_settings.ts";
import type { Contract } from "../event/contract.ts";
import { login } from "../event/login.ts";

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
