import { createKeyChain } from "../../lib/vault/open.ts";
import type { Binding, VaultKey } from "../../lib/vault/suite.ts";

/** Opens one sealed value with one private key. */
export function open(
  privateKey: VaultKey,
  sealed: Uint8Array<ArrayBuffer>,
  binding: Binding,
): Promise<string> {
  return createKeyChain([privateKey]).open(sealed, privateKey.id, binding);
}
