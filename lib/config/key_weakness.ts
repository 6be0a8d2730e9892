import { wellKnownKeys } from "./well_known_keys.ts";

/**
 * Tells why a key of 32 bytes could be guessed, or `null`. A random key is refused less than once in
 * 10¹³: it has 30 distinct byte values on average, and is printable ASCII with a chance of (95/256)³².
 */
export function findWeakness(bytes: Uint8Array): string | null {
  if (wellKnownKeys.has(bytes.toHex())) return "stands in a document for everybody to read";
  if (new Set(bytes).size < 16) return "repeats few byte values";
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return "is text, not random bytes";
  return isSequence(bytes) ? "is a plain sequence of bytes" : null;
}

function isSequence(bytes: Uint8Array): boolean {
  const at = (index: number) => bytes[index] ?? 0;
  const step = at(1) - at(0);
  return bytes.every((byte, i) => i === 0 || byte === ((at(i - 1) + step) & 0xff));
}
