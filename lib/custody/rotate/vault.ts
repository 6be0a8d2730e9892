import { OperationError } from "../../base/errors.ts";
import { exit } from "../../cli/command.ts";
import { formatCount } from "../../cli/terminal/format.ts";
import { type Phase, runPhase } from "../../cli/terminal/progress.ts";
import type { Settings } from "../../config/read_settings.ts";
import {
  bodiesOfOtherVaultKeys,
  resealBodies as replaceBodies,
  type StoredBody,
} from "../../store/postgres/sql/rejected.ts";
import {
  entriesOfOtherVaultKeys,
  resealEntries as replaceEntries,
  type SealedEntry,
} from "../../store/postgres/sql/vault.ts";
import { walkBlocks } from "../../store/postgres/walk_blocks.ts";
import { OpenError } from "../../vault/open.ts";
import type { Binding } from "../../vault/suite.ts";
import { openKeyPair, type VaultKeyPair } from "../../worker/keys.ts";
import type { Justification } from "../audit.ts";
import {
  assertLockHeld,
  recordRotation,
  type Rotation,
  SkippedEntries,
  VAULT_TABLE,
} from "./rotation.ts";

/**
 * Brings every sealed value, in the vault and among the rejections, to the key of VAULT_PUBLIC_KEY, while
 * workers go on, and gives the exit status. It may be killed at any moment and run again.
 *
 * @throws {SettingsError} the private half of that key is not there, or does not belong to it
 * @throws {StoreError | OperationError} what is done stays done; run it again
 */
export async function rotateVault(
  rotation: Rotation,
  settings: Settings,
  why: Justification,
): Promise<number> {
  const { io } = rotation;
  const own = await openKeyPair(settings);
  const first = own.sealer.keyId;
  await assertLockHeld(rotation);
  const others = own.keys.ids.filter((id) => id !== first);
  const name = `vault ${others.join(", ") || "nothing"} → ${first}`;
  await recordRotation(rotation, why, `${name}: begins`);

  const entries = await runPhase(io, "1 of 2, vault", async (shown) => {
    const done = await resealEntries(rotation, own, shown);
    return { ...done, words: `${formatCount(done.changed)} entries sealed anew` };
  });
  const bodies = await runPhase(io, "2 of 2, rejected", async (shown) => {
    const done = await resealBodies(rotation, own, shown);
    return { ...done, words: `${formatCount(done.changed)} bodies sealed anew` };
  });

  const left = entries.left.total + bodies.left.total;
  const counts =
    `${formatCount(entries.changed)} entries, ${formatCount(bodies.changed)} bodies, ` +
    `${formatCount(left)} left alone`;
  await recordRotation(rotation, why, `${name}: ${counts}`);
  for (const text of entries.left.lines("vault entries")) io.err(text);
  for (const text of bodies.left.lines("rejected bodies")) io.err(text);
  io.out(`${name}: ${counts}\n`);
  return left === 0 ? exit.done : exit.failed;
}

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

/** Blocks of the vault at once: some 1,000 entries of 200 bytes. */
const VAULT_BLOCKS_PER_RANGE = 32;

/** Walks over the vault before it is given up: two do where no worker seals for an old key. */
const MAX_WALKS = 6;

/**
 * Seals the entries of the vault anew that are sealed for another key. Walks the vault until nothing is
 * left to do.
 *
 * @throws {OperationError} each walk finds new ones: some worker still seals for an old key
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
  throw new OperationError(
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
