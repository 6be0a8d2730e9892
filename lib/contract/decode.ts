import type { Contract, Field, TextRule } from "./contract.ts";
import { readValue } from "./read_value.ts";
import type { Reason } from "./reasons.ts";

/** A canonical value of one field, before masking. */
export type Value = string | number | null;

/** A message that satisfies the contract. */
export interface Event {
  readonly kind: "event";
  /** One value per field, in the contract's order. Personal values are still originals. */
  readonly values: readonly Value[];
  /** The number of keys that are not in the contract. */
  readonly unknownFields: number;
  /** The key of the event, if the contract has a dedupe field. */
  readonly key?: string;
}

/** A message that does not satisfy the contract: a code and a field name, never a value. */
export interface Rejection {
  readonly kind: "rejection";
  readonly reason: Reason;
  /** The invalid field; `null` if the whole body is invalid. */
  readonly field: string | null;
}

/**
 * Decodes a message body by a contract. It never throws: every body results in an event or a rejection.
 * The last value of a repeated key counts, as in `JSON.parse`. The rejection names the first invalid field
 * in the contract's order. The dedupe field is checked last.
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

/** Reads an own key. `{"__proto__": …}` and inherited names such as `constructor` are not fields. */
function readOwn(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function readField({ rule, optional }: Field, value: unknown): Value | { reason: Reason } {
  if (optional && (value === undefined || value === null || value === "")) return null;
  return value === undefined ? { reason: "missing" } : readValue(rule, value);
}

function parseObject(body: string): Record<string, unknown> | "not_json" | "not_an_object" {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // V8's message quotes the text around the error, so it is dropped.
    return "not_json";
  }
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? json as Record<string, unknown>
    : "not_an_object";
}

const KEY: TextRule = { kind: "text", min: 1, max: 128 };

/**
 * Converts the value of the dedupe field to the key of the event: `d:` and the unchanged value. An operator
 * can thus find an event by the producer's id. A whole number equals the text of its digits. A number that
 * JavaScript cannot represent exactly is refused, because it would be the same for several events.
 */
export function readKey(value: unknown): string | { reason: Reason } {
  if (value === undefined) return { reason: "missing" };
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? `d:${value}` : { reason: "not_a_whole_number" };
  }
  const text = readValue(KEY, value);
  return typeof text === "object" ? text : `d:${text}`;
}
