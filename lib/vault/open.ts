import { OpenError } from "./open_error.ts";
import { associatedData, type Binding, hpkeInfo, layout, suite, type VaultKey } from "./suite.ts";

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
  privateKey: VaultKey,
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
  key: VaultKey,
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
