import { nearest } from "../config/read_value.ts";
import type { Field } from "../contract/contract.ts";
import { login } from "../contract/login.ts";
import { UsageError } from "./command.ts";

const personal = login.fields.filter((field) => field.personal);
const names = personal.map(({ name }) => name);

/** The fields that a command line may name, in words. */
export const personalFields = names.join(" or ");

/**
 * The personal field of that name.
 *
 * @throws {UsageError} there is none; with the nearest right name, and never what was typed
 */
export function personalField(name: string): Field {
  const field = personal.find((candidate) => candidate.name === name);
  if (field) return field;
  const meant = nearest(name, names);
  throw new UsageError(meant ? `FIELD: did you mean ${meant}?` : `FIELD: wanted ${personalFields}`);
}
