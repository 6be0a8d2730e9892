import fc from "fast-check";
import { deepStrictEqual, strictEqual } from "node:assert";
import { readKey } from "../../lib/contract/decode.ts";

const taken: readonly [value: unknown, key: string][] = [
  ["e-1", "d:e-1"],
  ["x".repeat(128), `d:${"x".repeat(128)}`],
  ["📱".repeat(128), `d:${"📱".repeat(128)}`],
  // Unchanged: neither trimmed nor normalized to NFC, or two events could have the same key.
  [" e ", "d: e "],
  ["e\u0301", "d:e\u0301"],
  [0, "d:0"],
  [-0, "d:0"],
  [42, "d:42"],
  ["42", "d:42"],
  [-7, "d:-7"],
  [Number.MAX_SAFE_INTEGER, "d:9007199254740991"],
  [1e15, "d:1000000000000000"],
];
for (const [value, key] of taken) {
  Deno.test(`readKey() returns a key when the value is ${short(value)}`, () => {
    strictEqual(readKey(value), key);
  });
}

const refused: readonly [value: unknown, reason: string][] = [
  [undefined, "missing"],
  [null, "wrong_type"],
  [true, "wrong_type"],
  [["e"], "wrong_type"],
  [{ e: 1 }, "wrong_type"],
  ["", "too_short"],
  ["x".repeat(129), "too_long"],
  ["📱".repeat(129), "too_long"],
  ["a\0", "unstorable_text"],
  ["a\ud800", "unstorable_text"],
  [1.5, "not_a_whole_number"],
  // The first whole number that JavaScript cannot distinguish from the next one.
  [2 ** 53, "not_a_whole_number"],
  [-(2 ** 53), "not_a_whole_number"],
  [1e300, "not_a_whole_number"],
];
for (const [value, reason] of refused) {
  Deno.test(`readKey() returns ${reason} when the value is ${short(value)}`, () => {
    deepStrictEqual(readKey(value), { reason });
  });
}

Deno.test("readKey() returns two keys when two texts differ in any way", () => {
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 128 });
  fc.assert(fc.property(text, text, (a, b) => {
    const [one, two] = [readKey(a), readKey(b)];
    if (typeof one === "string" && typeof two === "string") strictEqual(one === two, a === b);
  }));
});

function short(value: unknown): string {
  const text = value === undefined ? "absent" : JSON.stringify(value);
  return text.length > 30 ? `${text.slice(0, 12)}… (${text.length} units)` : text;
}
