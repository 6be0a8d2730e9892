import type { TextRule } from "./contract.ts";
import type { Reason } from "./reasons.ts";
import { readValue } from "./read_value.ts";

const KEY: TextRule = { kind: "text", min: 1, max: 128 };

/**
 * Reads the value that names an event and gives the key by which it is known: `d:` and the value as it
 * came, so that an operator can look an event up by the id that its producer knows. A whole number is as
 * good as the text of its digits; one that JSON's numbers cannot hold exactly would stand for several.
 */
export function readKey(value: unknown): string | { reason: Reason } {
  if (value === undefined) return { reason: "missing" };
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? `d:${value}` : { reason: "not_a_whole_number" };
  }
  const text = readValue(KEY, value);
  return typeof text === "object" ? text : `d:${text}`;
}
