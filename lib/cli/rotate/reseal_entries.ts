import { resealEntries as replaceEntries } from "../../store/sql/reseal_entries.ts";
import { entriesOfOtherVaultKeys, type SealedEntry } from "../../store/sql/sealed_entries.ts";
import { walkBlocks } from "../../store/walk_blocks.ts";
import { SkippedEntries } from "./left_alone.ts";
import type { VaultKeyPair } from "../own_sealer.ts";
import type { Phase } from "./phase.ts";
import { reseal } from "./reseal.ts";
import { assertLockHeld, type Rotation, VAULT_TABLE } from "./rotation.ts";
import { formatCount } from "../thousands.ts";

/** Blocks of the vault at once: some 1,000 entries of 200 bytes. */
const VAULT_BLOCKS_PER_RANGE = 32;

/** Walks over the vault before it is given up: two do where no worker seals for an old key. */
const MAX_WALKS = 6;

/**
 * Seals the entries of the vault anew that are sealed for another key. Walks the vault until nothing is
 * left to do.
 *
 * @throws {RangeError} each walk finds new ones: some worker still seals for an old key
 */
export async function resealEntries(
  rotation: Rotation,
  own: VaultKeyPair,
  phase: Phase,
): Promise<{ changed: number; left: SkippedEntries }> {
  const { vault } = rotation;
  const { keyId } = own.sealer;
  let changed = 0;
  for (let walk = 1; walk <= MAX_WALKS; walk++) {
    const before = changed;
    const left = new SkippedEntries();
    for await (
      const { from, end, reached, blocks } of walkBlocks(vault, VAULT_TABLE, VAULT_BLOCKS_PER_RANGE)
    ) {
      await assertLockHeld(rotation);
      const found = await vault.query<SealedEntry>(entriesOfOtherVaultKeys, [from, end, keyId]);
      if (found.length > 0) changed += await replaceSealedEntries(vault, found, own, left);
      phase.at(`${formatCount(changed)} entries, walk ${walk}`, reached / blocks);
    }
    if (changed === before) return { changed, left };
  }
  throw new RangeError(
    `Values for an old vault key keep coming: restart every worker with the public half of ${keyId}, ` +
      "and run this again",
  );
}

async function replaceSealedEntries(
  vault: Rotation["vault"],
  found: readonly SealedEntry[],
  own: VaultKeyPair,
  left: SkippedEntries,
): Promise<number> {
  const values = found.map(({ field, mask, sealed, key_id: keyId }) => ({
    sealed,
    keyId,
    binding: { field, mask },
  }));
  const anew = await reseal(values, own, left);
  const done = found.flatMap((entry, index) => {
    const sealed = anew[index];
    return sealed ? [{ ...entry, sealed }] : [];
  });
  if (done.length === 0) return 0;
  const [result] = await vault.query<{ changed: number }>(replaceEntries, [
    done.map(({ field }) => field),
    done.map(({ mask }) => mask),
    done.map(({ key_id }) => key_id),
    done.map(({ sealed }) => sealed),
    own.sealer.keyId,
  ]);
  return result?.changed ?? 0;
}
