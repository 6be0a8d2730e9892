import { packAppVersion } from "./app_version.ts";
import type { Rule, TextRule } from "./contract.ts";
import { toCanonicalIpAddress } from "./ip_address.ts";
import type { Reason } from "./reasons.ts";

/** Converts a JSON value to its canonical form by a rule. Returns a reason if the value is invalid. */
export function readValue(rule: Rule, value: unknown): string | number | { reason: Reason } {
  if (typeof value !== "string") return { reason: "wrong_type" };
  switch (rule.kind) {
    case "text":
      return readText(rule, value);
    case "ip_address":
      return toCanonicalIpAddress(value) ?? { reason: "not_an_ip_address" };
    case "app_version": {
      const packed = packAppVersion(value);
      if (typeof packed === "number") return packed;
      return { reason: packed === "malformed" ? "not_a_version" : "version_out_of_range" };
    }
  }
}

function readText(rule: TextRule, value: string): string | { reason: Reason } {
  if (!value.isWellFormed() || value.includes("\0")) return { reason: "unstorable_text" };
  const text = rule.normalize ? normalize(value, rule.max) : value;
  if (isShorter(text, rule.min)) return { reason: "too_short" };
  if (isLonger(text, rule.max)) return { reason: "too_long" };
  return text;
}

/**
 * Trims a text and converts it to NFC, unless it stays too long in any case. The time of NFC grows with the
 * square of a run of combining marks, so 1 MiB of them would block the worker for minutes. One character
 * of NFC replaces at most four (UAX #15, section 12), each of at most two UTF-16 units.
 */
function normalize(value: string, max: number): string {
  const text = value.trim();
  return text.length > 8 * max ? text : text.normalize("NFC");
}

function isShorter(text: string, min: number): boolean {
  return text.length < min || (text.length < 2 * min && countCharacters(text) < min);
}

function isLonger(text: string, max: number): boolean {
  // A character is one or two UTF-16 units, so the length alone decides for most texts.
  return text.length > 2 * max || (text.length > max && countCharacters(text) > max);
}

function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
