import type { Binding } from "../../vault/suite.ts";
import { OpenError } from "../../vault/open_error.ts";
import type { SkippedEntries } from "./left_alone.ts";
import type { VaultKeyPair } from "../own_sealer.ts";

/** A value that is sealed for a vault key, and what it belongs to. */
export interface Sealed {
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly keyId: string;
  readonly binding: Binding;
}

/**
 * Opens values and seals them for the vault key of `own`, and opens each of them again and compares
 * before it may take the old one's place.
 *
 * @returns a value each, in their order; none where it does not open, which `left` counts
 */
export async function reseal(
  values: readonly Sealed[],
  { sealer, keys }: VaultKeyPair,
  left: SkippedEntries,
): Promise<(Uint8Array | undefined)[]> {
  const batch = await sealer.startBatch();
  return await Promise.all(values.map(async ({ sealed, keyId, binding }) => {
    if (!keys.ids.includes(keyId)) return void left.add("unknown vault key", keyId);
    try {
      // A copy, since the driver gives views into what it received.
      const original = await keys.open(new Uint8Array(sealed), keyId, binding);
      const anew = batch.seal(original, binding);
      if (await keys.open(anew, sealer.keyId, binding) === original) return anew;
      throw new Error("A value that was sealed anew opened as another one");
    } catch (error) {
      if (!(error instanceof OpenError)) throw error;
      return void left.add("does not open", keyId);
    }
  }));
}
