import { OperationError } from "../base/errors.ts";
import type { NamedKey } from "../base/named_key.ts";
import { associatedData, type Binding, hpkeInfo, layout, suite } from "./suite.ts";

/** A sealed value did not open. The message says what to look at, and nothing of the value. */
export class OpenError extends OperationError {
  override readonly name = "OpenError";
}

/** Opens sealed values, whichever of several private keys they were sealed for. */
export interface KeyChain {
  /** The ids of the keys that are there. */
  readonly ids: readonly string[];
  /**
   * Opens what was sealed under the key `keyId` for `binding`.
   *
   * @throws {OpenError} that key is not there, or does not open it, or the value was changed or moved
   */
  open(sealed: Uint8Array<ArrayBuffer>, keyId: string, binding: Binding): Promise<string>;
}

/**
 * Data keys that are remembered. Values that were sealed together have one together, and lie together in
 * the vault: without this, opening them one after the other costs twenty times as much. A guess.
 */
const MAX_CACHED_DATA_KEYS = 256;

/** Makes the chain of the private keys of a vault. */
export function createKeyChain(privateKeys: readonly NamedKey[]): KeyChain {
  const ids = privateKeys.map(({ id }) => id);
  const dataKeys = new Map<string, Promise<CryptoKey>>();
  const dataKeyOf = (key: NamedKey, sealed: Uint8Array<ArrayBuffer>): Promise<CryptoKey> => {
    const name = `${key.id} ${sealed.subarray(0, layout.nonce.from).toBase64()}`;
    let dataKey = dataKeys.get(name);
    if (!dataKey) {
      dataKey = openDataKey(key, sealed);
      const [oldest] = dataKeys.keys();
      if (oldest !== undefined && dataKeys.size >= MAX_CACHED_DATA_KEYS) dataKeys.delete(oldest);
      dataKeys.set(name, dataKey);
    }
    return dataKey;
  };
  return {
    ids,
    async open(sealed, keyId, binding) {
      const key = privateKeys.find(({ id }) => id === keyId);
      if (!key) {
        throw new OpenError(
          `The value was sealed under the vault key ${
            describeKeyId(keyId)
          }, wanted among the private keys ` +
            `(${ids.join(", ")})`,
        );
      }
      // Before the data key is looked up: a value that was cut off fails alone, and must not leave its
      // failure to the others that have the same data key.
      checkLayout(sealed);
      return await openValue(await dataKeyOf(key, sealed), sealed, binding);
    },
  };
}

/** An id out of a table, which may hold whatever somebody wrote into it. */
function describeKeyId(keyId: string): string {
  return /^[a-z][a-z0-9]{0,15}$/.test(keyId) ? keyId : "of no valid id";
}

/** @throws {OpenError} a sealed value is too short, or of another version */
export function checkLayout(sealed: Uint8Array<ArrayBuffer>): void {
  if (sealed[0] === layout.version && sealed.length >= layout.ciphertext.from + 16) return;
  throw new OpenError(`The sealed value has another layout, wanted version ${layout.version}`);
}

/**
 * Opens the data key of a sealed value, which the others of its batch have too: nearly all that opening
 * costs.
 *
 * @throws {OpenError} another key sealed it, or it was changed
 */
export async function openDataKey(
  privateKey: NamedKey,
  sealed: Uint8Array<ArrayBuffer>,
): Promise<CryptoKey> {
  checkLayout(sealed);
  const raw = await decapsulate(privateKey, sealed);
  return await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
}

/**
 * Opens a sealed value whose data key is open.
 *
 * @throws {OpenError} a byte was changed, or it belongs to another data key or another binding
 */
export async function openValue(
  dataKey: CryptoKey,
  sealed: Uint8Array<ArrayBuffer>,
  binding: Binding,
): Promise<string> {
  try {
    const plaintext = await crypto.subtle.decrypt(
      {
        name: "AES-GCM",
        iv: sealed.slice(layout.nonce.from, layout.nonce.to),
        additionalData: associatedData(binding),
      },
      dataKey,
      sealed.slice(layout.ciphertext.from),
    );
    // A byte order mark is part of the value: a decoder would cut it off unless told otherwise.
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(plaintext);
  } catch (cause) {
    throw new OpenError(
      "The sealed value was changed, or stands beside another field or mask than the one it was " +
        "sealed for",
      { cause },
    );
  }
}

async function decapsulate(
  key: NamedKey,
  sealed: Uint8Array<ArrayBuffer>,
): Promise<ArrayBuffer> {
  try {
    const recipientKey = await suite.kem.deserializePrivateKey(key.bytes.slice().buffer);
    const enc = sealed.slice(layout.encapsulated.from, layout.encapsulated.to).buffer;
    const dataKey = sealed.slice(layout.dataKey.from, layout.dataKey.to).buffer;
    return await suite.open({ recipientKey, enc, info: hpkeInfo(key.id) }, dataKey);
  } catch (cause) {
    throw new OpenError(
      `The vault key ${key.id} does not open the sealed value: another key sealed it, or it was changed`,
      { cause },
    );
  }
}
