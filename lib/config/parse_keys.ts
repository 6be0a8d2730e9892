import { OperationError } from "../base/errors.ts";
import { KEY_BYTES, type NamedKey } from "../base/named_key.ts";

const EXPECTED_FORM = "wanted <id>:<base64 of 32 bytes>, a line that `maskline keygen` prints";

/**
 * Reads `id:base64`, several with commas between where `atMost` allows it. Both base64 alphabets are
 * taken. Messages name a key's position and id, never its text: it is a secret.
 *
 * @throws {OperationError} a key is malformed, short, long, named twice, or easy to guess
 */
export function parseNamedKeys(text: string, atMost = 1): [NamedKey, ...NamedKey[]] {
  const parts = text.split(",");
  if (parts.length > atMost) {
    throw new OperationError(`${parts.length} keys are there, wanted at most ${atMost}`);
  }
  const [first, ...others] = parts.map((part, index) => parseKey(part.trim(), index + 1));
  if (!first) throw new OperationError(`No key is there; ${EXPECTED_FORM}`);
  const ids = [first, ...others].map((key) => key.id);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated) throw new OperationError(`Two keys have the id ${repeated}, wanted each id once`);
  return [first, ...others];
}

function parseKey(text: string, position: number): NamedKey {
  const [, id, encoded] = /^([a-z][a-z0-9]{0,15}):(.+)$/.exec(text) ?? [];
  if (!id || !encoded) {
    throw new OperationError(`Key ${position} has another form; ${EXPECTED_FORM}`);
  }
  const bytes = decodeBase64(encoded);
  if (!bytes) throw new OperationError(`Key ${position} (${id}) is not base64; ${EXPECTED_FORM}`);
  if (bytes.length !== KEY_BYTES) {
    throw new OperationError(`Key ${position} (${id}) has ${bytes.length} bytes; ${EXPECTED_FORM}`);
  }
  const weakness = findWeakness(bytes);
  if (weakness) throw new OperationError(`Key ${position} (${id}) ${weakness}; ${EXPECTED_FORM}`);
  return { id, bytes };
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const alphabet = /[-_]/.test(text) ? "base64url" : "base64";
  try {
    return Uint8Array.fromBase64(text, { alphabet });
  } catch {
    return null;
  }
}

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

/**
 * Keys that anybody can look up, as hex: the ones in Maskline's own documents and test vectors, and the
 * digests that people reach for when they want "some 32 bytes".
 */
export const wellKnownKeys: ReadonlySet<string> = new Set([
  // The key of the frozen vectors in tests/mask/mask_test.ts.
  "8f4c1db0a37e52669ed30b17c5f8214a6be0d59c3387f21054dea96b7c0812fd",
  // The public half of the vault key in tests/vault/open_test.ts, whose private half is SHA-256("test").
  "d9d5c57971eefb085e3abaf7a5a4a6cdb8185f30105583cdb09ad8f61886ec65",
  // SHA-256 of nothing, of "password", of "secret" and of "test".
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
  "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  // RFC 4231 test case 4 (0102…19), padded with zeros.
  "0102030405060708090a0b0c0d0e0f1011121314151617181900000000000000",
]);
