import { checkLayout, openDataKey, openValue } from "./open.ts";
import { OpenError } from "./open_error.ts";
import { type Binding, layout, type VaultKey } from "./suite.ts";

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
export function createKeyChain(privateKeys: readonly VaultKey[]): KeyChain {
  const ids = privateKeys.map(({ id }) => id);
  const dataKeys = new Map<string, Promise<CryptoKey>>();
  const dataKeyOf = (key: VaultKey, sealed: Uint8Array<ArrayBuffer>): Promise<CryptoKey> => {
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
