import { createKeyChain } from "../../lib/vault/open.ts";
import type { NamedKey } from "../../lib/base/named_key.ts";
import type { Binding } from "../../lib/vault/suite.ts";

/** Opens one sealed value with one private key. */
export function open(
  privateKey: NamedKey,
  sealed: Uint8Array<ArrayBuffer>,
  binding: Binding,
): Promise<string> {
  return createKeyChain([privateKey]).open(sealed, privateKey.id, binding);
}
