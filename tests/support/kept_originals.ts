import { createMasker } from "../../lib/mask/mask.ts";
import { createSealer } from "../../lib/vault/seal.ts";
import { generateVaultKeys } from "../../lib/vault/suite.ts";
import type { TestDatabase } from "./test_database.ts";

/** The keys of one test, and the settings that pass them to a command. */
export interface TestKeys {
  readonly maskKey: { readonly id: string; readonly bytes: Uint8Array<ArrayBuffer> };
  readonly publicKey: { readonly id: string; readonly bytes: Uint8Array<ArrayBuffer> };
  readonly privateKey: { readonly id: string; readonly bytes: Uint8Array<ArrayBuffer> };
  readonly settings: {
    readonly MASK_KEY: string;
    readonly VAULT_PUBLIC_KEY: string;
    readonly VAULT_PRIVATE_KEY: string;
  };
}

/** Creates keys with these ids. */
export async function createTestKeys(maskId = "k1", vaultId = "v1"): Promise<TestKeys> {
  const maskKey = { id: maskId, bytes: crypto.getRandomValues(new Uint8Array(32)) };
  const pair = await generateVaultKeys();
  const publicKey = { id: vaultId, bytes: pair.publicKey };
  const privateKey = { id: vaultId, bytes: pair.privateKey };
  return {
    maskKey,
    publicKey,
    privateKey,
    settings: {
      MASK_KEY: textOf(maskKey),
      VAULT_PUBLIC_KEY: textOf(publicKey),
      VAULT_PRIVATE_KEY: textOf(privateKey),
    },
  };
}

/** Formats a key for a setting. */
export function textOf({ id, bytes }: { id: string; bytes: Uint8Array<ArrayBuffer> }): string {
  return `${id}:${bytes.toBase64()}`;
}

/** An original, in its canonical form. */
export interface TestOriginal {
  readonly field: "ip" | "device_id";
  readonly original: string;
  /** Default: the mask that the mask key computes for it. */
  readonly mask?: string;
}

/** Seals originals and inserts them into the vault in one statement. Returns their masks, in order. */
export async function insertOriginals(
  inside: TestDatabase,
  { maskKey, publicKey }: Pick<TestKeys, "maskKey" | "publicKey">,
  originals: readonly TestOriginal[],
): Promise<string[]> {
  const masker = await createMasker({ ring: [maskKey], fields: ["ip", "device_id"] });
  const batch = await (await createSealer(publicKey)).startBatch();
  const masks = await Promise.all(
    originals.map(async ({ field, original, mask }) => mask ?? await masker.mask(field, original)),
  );
  const sealed = originals.map(({ field, original }, index) =>
    batch.seal(original, { field, mask: masks[index] ?? "" }).toHex()
  );
  await inside.query(
    `INSERT INTO maskline.vault (field, mask, sealed, key_id, first_seen, last_seen)
      SELECT field, mask, decode(sealed, 'hex'), $4, current_date, current_date
      FROM unnest($1::text[], $2::text[], $3::text[]) AS original (field, mask, sealed)`,
    [originals.map(({ field }) => field), masks, sealed, publicKey.id],
  );
  return masks;
}

/** A login as it was sent: the user, the address and the device. */
export interface TestLogin {
  readonly user: string;
  readonly ip: string;
  readonly device: string;
}
