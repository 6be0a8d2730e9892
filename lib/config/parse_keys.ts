import { OperationError } from "../base/errors.ts";
import { isKeyId, KEY_BYTES, type NamedKey } from "../base/named_key.ts";

const EXPECTED_FORM = "expected <id>:<base64 of 32 bytes>";
const NEXT_STEP = "Use a line that `maskline keygen` prints";

/**
 * Parses keys of the form `id:base64`, up to `atMost` of them, separated by commas. Both base64 alphabets
 * are valid. Messages contain a key's position and id, and never its secret text.
 *
 * @throws {OperationError} a key is malformed, too short or too long, has a repeated id, or is guessable
 */
export function parseNamedKeys(text: string, atMost = 1): [NamedKey, ...NamedKey[]] {
  const parts = text.split(",");
  if (parts.length > atMost) {
    throw new OperationError(
      `expected at most ${atMost} ${atMost === 1 ? "key" : "keys"}, got ${parts.length}`,
    );
  }
  const [first, ...others] = parts.map((part, index) => parseKey(part.trim(), index + 1));
  if (!first) throw new OperationError(`${EXPECTED_FORM}, got no key. ${NEXT_STEP}`);
  const ids = [first, ...others].map((key) => key.id);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated) throw new OperationError(`expected each key id once, got ${repeated} twice`);
  return [first, ...others];
}

function parseKey(text: string, position: number): NamedKey {
  const [, id, encoded] = /^([^:]*):(.+)$/.exec(text) ?? [];
  if (!id || !encoded || !isKeyId(id)) {
    throw new OperationError(`Key ${position}: ${EXPECTED_FORM}, got another form. ${NEXT_STEP}`);
  }
  const bytes = decodeBase64(encoded);
  const expected = `Key ${position} (${id}): ${EXPECTED_FORM}, got`;
  if (!bytes) throw new OperationError(`${expected} invalid base64. ${NEXT_STEP}`);
  if (bytes.length !== KEY_BYTES) {
    throw new OperationError(`${expected} ${bytes.length} bytes. ${NEXT_STEP}`);
  }
  const weakness = findWeakness(bytes);
  if (weakness) throw new OperationError(`${expected} a key that ${weakness}. ${NEXT_STEP}`);
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
 * Explains why a key of 32 bytes is guessable, or returns `null`. A random key is refused less than once
 * in 10¹³: it has 30 distinct byte values on average, and is printable ASCII with probability (95/256)³².
 */
function findWeakness(bytes: Uint8Array): string | null {
  if (wellKnownKeys.has(bytes.toHex())) return "is published in a document";
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
 * Published keys, as hex: the keys of Maskline's own documents and test vectors, and the digests that are
 * often used as "some 32 bytes".
 */
const wellKnownKeys: ReadonlySet<string> = new Set([
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
