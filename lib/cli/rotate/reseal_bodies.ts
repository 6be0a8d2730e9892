import {
  bodiesOfOtherVaultKeys,
  resealBodies as replaceBodies,
  type StoredBody,
} from "../../store/sql/reseal_rejected.ts";
import { SkippedEntries } from "./left_alone.ts";
import type { VaultKeyPair } from "../own_sealer.ts";
import type { Phase } from "./phase.ts";
import { reseal } from "./reseal.ts";
import { assertLockHeld, type Rotation } from "./rotation.ts";
import { formatCount } from "../thousands.ts";

/** Bodies at once: a message may have a MiB. */
const BODIES_PER_PAGE = 16;

/** Seals the rejected bodies anew that are sealed for another key. */
export async function resealBodies(
  rotation: Rotation,
  own: VaultKeyPair,
  phase: Phase,
): Promise<{ changed: number; left: SkippedEntries }> {
  const { database } = rotation;
  const { keyId } = own.sealer;
  const left = new SkippedEntries();
  let changed = 0;
  let last = "";
  for (;;) {
    await assertLockHeld(rotation);
    const found = await database.query<StoredBody>(bodiesOfOtherVaultKeys, [
      last,
      keyId,
      BODIES_PER_PAGE,
    ]);
    const end = found.at(-1);
    if (!end) return { changed, left };
    last = end.message_id;
    changed += await replaceSealedBodies(database, found, own, left);
    phase.at(`${formatCount(changed)} bodies`);
  }
}

async function replaceSealedBodies(
  database: Rotation["database"],
  found: readonly StoredBody[],
  own: VaultKeyPair,
  left: SkippedEntries,
): Promise<number> {
  const values = found.map(({ message_id: mask, sealed, key_id: keyId }) => ({
    sealed,
    keyId,
    binding: { field: "rejected", mask },
  }));
  const anew = await reseal(values, own, left);
  const done = found.flatMap((body, index) => {
    const sealed = anew[index];
    return sealed ? [{ ...body, sealed }] : [];
  });
  if (done.length === 0) return 0;
  const [result] = await database.query<{ changed: number }>(replaceBodies, [
    done.map(({ message_id }) => message_id),
    done.map(({ key_id }) => key_id),
    done.map(({ sealed }) => sealed),
    own.sealer.keyId,
  ]);
  return result?.changed ?? 0;
}
