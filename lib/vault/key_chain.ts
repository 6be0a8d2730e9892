import { open } from "./open.ts";
import { OpenError } from "./open_error.ts";
import type { Binding, VaultKey } from "./suite.ts";

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

/** Makes the chain of the private keys of a vault. */
export function createKeyChain(privateKeys: readonly VaultKey[]): KeyChain {
  const ids = privateKeys.map(({ id }) => id);
  return {
    ids,
    async open(sealed, keyId, binding) {
      const key = privateKeys.find(({ id }) => id === keyId);
      if (!key) {
        throw new OpenError(
          `The value was sealed under the vault key ${keyId}, wanted among the private keys ` +
            `(${ids.join(", ")})`,
        );
      }
      return await open(key, sealed, binding);
    },
  };
}
