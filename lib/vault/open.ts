import { OperationError } from "../base/errors.ts";
import { isKeyId, type NamedKey } from "../base/named_key.ts";
import { type Binding, createHpkeInfo, encodeBinding, layout, suite } from "./suite.ts";

/** A sealed value could not be opened. The message names the cause and never contains the value. */
export class OpenError extends OperationError {
  override readonly name = "OpenError";
}

/** Opens sealed values with one of several private keys. */
export interface KeyChain {
  /** The ids of the available keys. */
  readonly ids: readonly string[];
  /**
   * Opens a value that was sealed to the key `keyId` and bound to `binding`.
   *
   * @throws {OpenError} the key is missing or does not open the value, or the value was changed or moved
   */
  open(sealed: Uint8Array<ArrayBuffer>, keyId: string, binding: Binding): Promise<string>;
}

/**
 * Maximum number of cached data keys. Values that were sealed together share a data key and are stored
 * next to each other. Without the cache, opening them one by one costs twenty times as much. The number
 * is an estimate, not measured.
 */
const MAX_CACHED_DATA_KEYS = 256;

/** Creates the key chain of a vault's private keys. */
export function createKeyChain(privateKeys: readonly NamedKey[]): KeyChain {
  const ids = privateKeys.map(({ id }) => id);
  const dataKeys = new Map<string, Promise<CryptoKey>>();
  const getDataKey = (key: NamedKey, sealed: Uint8Array<ArrayBuffer>): Promise<CryptoKey> => {
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
          `The value was sealed to ${describeKey(keyId)}, expected one of the private keys ` +
            `(${ids.join(", ")}). Add that key to VAULT_PRIVATE_KEY`,
        );
      }
      // Runs before the data key is cached: the failure of a truncated value must not affect the other
      // values with the same data key.
      checkLayout(sealed);
      return await openValue(await getDataKey(key, sealed), sealed, binding);
    },
  };
}

/** Names a key by an id from a table. An invalid id is not repeated, because it may be any text. */
function describeKey(keyId: string): string {
  return isKeyId(keyId) ? `the vault key ${keyId}` : "a vault key with an invalid id";
}

/** Checks the layout of a sealed value. @throws {OpenError} it is too short or has another version */
function checkLayout(sealed: Uint8Array<ArrayBuffer>): void {
  if (sealed[0] === layout.version && sealed.length >= layout.ciphertext.from + 16) return;
  throw new OpenError(
    `The sealed value is truncated or has another layout, expected version ${layout.version}`,
  );
}

/**
 * Opens the data key of a sealed value. All values of its batch share this key, and it causes nearly the
 * whole cost of opening.
 *
 * @throws {OpenError} the value was sealed to another key, or it was changed
 */
async function openDataKey(
  privateKey: NamedKey,
  sealed: Uint8Array<ArrayBuffer>,
): Promise<CryptoKey> {
  checkLayout(sealed);
  const raw = await decapsulate(privateKey, sealed);
  return await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
}

/**
 * Opens a sealed value with its data key.
 *
 * @throws {OpenError} the value was changed, or belongs to another data key or another binding
 */
async function openValue(
  dataKey: CryptoKey,
  sealed: Uint8Array<ArrayBuffer>,
  binding: Binding,
): Promise<string> {
  try {
    const plaintext = await crypto.subtle.decrypt(
      {
        name: "AES-GCM",
        iv: sealed.slice(layout.nonce.from, layout.nonce.to),
        additionalData: encodeBinding(binding),
      },
      dataKey,
      sealed.slice(layout.ciphertext.from),
    );
    // A byte order mark is part of the value. A decoder removes it by default.
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(plaintext);
  } catch (cause) {
    throw new OpenError(
      "The sealed value was changed, or is next to another field or mask than the one it is " +
        "bound to",
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
    return await suite.open({ recipientKey, enc, info: createHpkeInfo(key.id) }, dataKey);
  } catch (cause) {
    throw new OpenError(
      `The vault key ${key.id} does not open the sealed value: it was sealed to another key, or it was changed`,
      { cause },
    );
  }
}
