import { OperationError } from "../../base/errors.ts";
import {
  bodiesOfOtherVaultKeys,
  resealBodies as replaceBodies,
  type StoredBody,
} from "../../store/postgres/sql/rejected.ts";
import {
  entriesOfOtherVaultKeys,
  resealEntries as replaceEntries,
  type SealedEntry,
  VAULT_TABLE,
} from "../../store/postgres/sql/vault.ts";
import { walkBlocks } from "../../store/postgres/walk_blocks.ts";
import { OpenError } from "../../vault/open.ts";
import { type Binding, bindRejectedBody } from "../../vault/suite.ts";
import type { Databases } from "../../worker/databases.ts";
import { openKeyPair, type VaultKeyPair } from "../../worker/keys.ts";
import type { Justification } from "../audit.ts";
import {
  assertLockHeld,
  MAX_WALKS,
  recordRotation,
  type Rotation,
  SkippedEntries,
  VAULT_BLOCKS_PER_RANGE,
} from "./rotation.ts";

/** The result of a rotation of the vault key. */
export interface VaultRotation {
  /** What was rotated, as in `vault v1 → v2`. */
  readonly name: string;
  readonly entries: number;
  readonly bodies: number;
  readonly skippedEntries: SkippedEntries;
  readonly skippedBodies: SkippedEntries;
}

/** Bodies that are read at once: a message may have 1 MiB. */
const BODIES_PER_PAGE = 16;

/**
 * Re-seals every original and every rejected body to the key of VAULT_PUBLIC_KEY, while workers continue. It
 * may be killed at any moment and run again.
 *
 * @throws {SettingsError} the private half of that key is missing, or does not belong to it
 * @throws {StoreError | OperationError} what is done stays done; run it again
 */
export async function rotateVault(
  rotation: Rotation,
  justification: Justification,
): Promise<VaultRotation> {
  const { databases, report } = rotation;
  const keyPair = await openKeyPair(databases.settings);
  const first = keyPair.sealer.keyId;
  await assertLockHeld(rotation);
  const others = keyPair.keys.ids.filter((id) => id !== first);
  const name = `vault ${others.join(", ") || "nothing"} → ${first}`;
  await recordRotation(rotation, justification, `${name}: begins`);

  report({ phase: "vault", state: "begins", count: 0 });
  const entries = await resealEntries(rotation, keyPair);
  report({ phase: "vault", state: "ends", count: entries.changed });
  report({ phase: "rejected", state: "begins", count: 0 });
  const bodies = await resealBodies(rotation, keyPair);
  report({ phase: "rejected", state: "ends", count: bodies.changed });

  const skipped = entries.skipped.total + bodies.skipped.total;
  await recordRotation(
    rotation,
    justification,
    `${name}: ${entries.changed} entries, ${bodies.changed} bodies, ${skipped} skipped`,
  );
  return {
    name,
    entries: entries.changed,
    bodies: bodies.changed,
    skippedEntries: entries.skipped,
    skippedBodies: bodies.skipped,
  };
}

/** How many values were re-sealed, and which were skipped. */
interface Resealed {
  readonly changed: number;
  readonly skipped: SkippedEntries;
}

/**
 * Re-seals the entries of the vault that are sealed to another key. Walks the vault until nothing is left to do.
 *
 * @throws {OperationError} each walk finds new ones: a worker still seals to an old key
 */
async function resealEntries(rotation: Rotation, keyPair: VaultKeyPair): Promise<Resealed> {
  const { databases: { vault }, report } = rotation;
  const { keyId } = keyPair.sealer;
  let changed = 0;
  for (let walk = 1; walk <= MAX_WALKS; walk++) {
    const before = changed;
    const skipped = new SkippedEntries();
    for await (
      const { from, end, reached, blocks } of walkBlocks(vault, VAULT_TABLE, VAULT_BLOCKS_PER_RANGE)
    ) {
      await assertLockHeld(rotation);
      const found = await vault.query<SealedEntry>(entriesOfOtherVaultKeys, [from, end, keyId]);
      changed += await replaceSealedEntries(vault, found, keyPair, skipped);
      const share = reached / blocks;
      report({ phase: "vault", state: "continues", count: changed, walk, share });
    }
    if (changed === before) return { changed, skipped };
  }
  throw new OperationError(
    `Workers still seal values to an old vault key: restart every worker with the public half of ` +
      `${keyId}, and run this command again`,
  );
}

async function replaceSealedEntries(
  vault: Databases["vault"],
  found: readonly SealedEntry[],
  keyPair: VaultKeyPair,
  skipped: SkippedEntries,
): Promise<number> {
  const bind = ({ field, mask }: SealedEntry) => ({ field, mask });
  const resealed = await reseal(found, bind, keyPair, skipped);
  if (resealed.length === 0) return 0;
  const [result] = await vault.query<{ changed: number }>(replaceEntries, [
    resealed.map(({ field }) => field),
    resealed.map(({ mask }) => mask),
    resealed.map(({ key_id }) => key_id),
    resealed.map(({ sealed }) => sealed),
    keyPair.sealer.keyId,
  ]);
  return result?.changed ?? 0;
}

/** Re-seals the rejected bodies that are sealed to another key. */
async function resealBodies(rotation: Rotation, keyPair: VaultKeyPair): Promise<Resealed> {
  const { databases: { database }, report } = rotation;
  const { keyId } = keyPair.sealer;
  const skipped = new SkippedEntries();
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
    if (!end) return { changed, skipped };
    last = end.message_id;
    changed += await replaceSealedBodies(database, found, keyPair, skipped);
    report({ phase: "rejected", state: "continues", count: changed });
  }
}

async function replaceSealedBodies(
  database: Databases["database"],
  found: readonly StoredBody[],
  keyPair: VaultKeyPair,
  skipped: SkippedEntries,
): Promise<number> {
  const bind = ({ message_id }: StoredBody) => bindRejectedBody(message_id);
  const resealed = await reseal(found, bind, keyPair, skipped);
  if (resealed.length === 0) return 0;
  const [result] = await database.query<{ changed: number }>(replaceBodies, [
    resealed.map(({ message_id }) => message_id),
    resealed.map(({ key_id }) => key_id),
    resealed.map(({ sealed }) => sealed),
    keyPair.sealer.keyId,
  ]);
  return result?.changed ?? 0;
}

/** A stored value that is sealed to the vault key `key_id`. */
interface SealedValue {
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly key_id: string;
}

/**
 * Opens values and seals them to the vault key of `keyPair`. It opens each result again and compares it, before
 * it may replace the old one.
 *
 * @returns the values that opened, with their new `sealed`; `skipped` counts the others
 */
async function reseal<T extends SealedValue>(
  values: readonly T[],
  bind: (value: T) => Binding,
  { sealer, keys }: VaultKeyPair,
  skipped: SkippedEntries,
): Promise<T[]> {
  if (values.length === 0) return [];
  const batch = await sealer.startBatch();
  const resealed = await Promise.all(values.map(async (value): Promise<T[]> => {
    const { sealed, key_id: keyId } = value;
    if (!keys.ids.includes(keyId)) {
      skipped.add("unknown vault key", keyId);
      return [];
    }
    const binding = bind(value);
    try {
      // A copy, because the driver returns views into what it received.
      const original = await keys.open(new Uint8Array(sealed), keyId, binding);
      const result = batch.seal(original, binding);
      if (await keys.open(result, sealer.keyId, binding) === original) {
        return [{ ...value, sealed: result }];
      }
      throw new Error("A value that was re-sealed opened as another value");
    } catch (error) {
      if (!(error instanceof OpenError)) throw error;
      skipped.add("does not open", keyId);
      return [];
    }
  }));
  return resealed.flat();
}
