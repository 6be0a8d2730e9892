import type { Contract, Field, TextRule } from "./contract.ts";
import { readValue } from "./read_value.ts";
import type { Reason } from "./reasons.ts";

/** A canonical value of one field, before masking. */
export type Value = string | number | null;

/** A message that satisfies the contract. */
export interface Event {
  readonly kind: "event";
  /** One value a field, in the contract's order; personal ones are still the originals. */
  readonly values: readonly Value[];
  /** How many keys of the message the contract does not name. */
  readonly unknownFields: number;
  /** The name of the event itself, where the contract has a field for that. */
  readonly key?: string;
}

/** A message that does not satisfy the contract: a code and a field name, never a value. */
export interface Rejection {
  readonly kind: "rejection";
  readonly reason: Reason;
  /** The field at fault; `null` where the whole body is. */
  readonly field: string | null;
}

/**
 * Reads a message body by a contract. Total: whatever comes, the answer is an event or a rejection and
 * nothing is thrown. Of a key that stands twice the last one counts, as in ECMA-404's `JSON.parse`;
 * the first field in the contract's order that is at fault names the rejection, the one that names the
 * event last.
 *
 * @example
 * ```ts
 * import { deepStrictEqual } from "node:assert";
 * import { login } from "./login.ts";
 *
 * deepStrictEqual(decode(login, `{"foo": "bar"}`), {
 *   kind: "rejection",
 *   reason: "missing",
 *   field: "user_id",
 * });
 * ```
 */
export function decode(contract: Contract, body: string): Event | Rejection {
  const object = parseObject(body);
  if (typeof object === "string") return { kind: "rejection", reason: object, field: null };
  const values: Value[] = [];
  const unknown = new Set(Object.keys(object));
  for (const field of contract.fields) {
    const value = readField(field, readOwn(object, field.name));
    if (typeof value === "object" && value !== null) {
      return { kind: "rejection", reason: value.reason, field: field.name };
    }
    values.push(value);
    unknown.delete(field.name);
  }
  const name = contract.dedupeField;
  if (name === undefined) return { kind: "event", values, unknownFields: unknown.size };
  const key = readKey(readOwn(object, name));
  if (typeof key === "object") return { kind: "rejection", reason: key.reason, field: name };
  unknown.delete(name);
  return { kind: "event", values, unknownFields: unknown.size, key };
}

/** Own keys only: `{"__proto__": …}` and inherited names such as `constructor` are not fields. */
function readOwn(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function readField(field: Field, value: unknown): Value | { reason: Reason } {
  if (value === undefined || (value === null && field.optional)) {
    return field.optional ? null : { reason: "missing" };
  }
  return readValue(field.rule, value);
}

function parseObject(body: string): Record<string, unknown> | "not_json" | "not_an_object" {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // V8's message quotes the text around the fault, so it is dropped here and goes nowhere.
    return "not_json";
  }
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? json as Record<string, unknown>
    : "not_an_object";
}

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
