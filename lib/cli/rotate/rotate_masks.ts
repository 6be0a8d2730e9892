import { type Settings, SettingsError } from "../../config/read_settings.ts";
import type { KeyRing } from "../../mask/mask_key.ts";
import type { Justification } from "../../store/audit.ts";
import { exit } from "../command.ts";
import { countRows, type RowCount } from "./count_rows.ts";
import { openKeyPair } from "../own_sealer.ts";
import { recordRotation } from "./note_rotation.ts";
import { runPhase } from "./phase.ts";
import { remaskEntries } from "./remask_entries.ts";
import { remaskRows } from "./remask_rows.ts";
import { createRemasker } from "./remasker.ts";
import { removeOldEntries } from "./remove_old_entries.ts";
import { assertLockHeld, type Rotation } from "./rotation.ts";
import { formatCount } from "../thousands.ts";

/**
 * Brings every mask of the vault and of the target table to the first key of MASK_KEY, while workers go
 * on, and gives the exit status. It may be killed at any moment and run again.
 *
 * The order keeps every row's original in the vault at every moment: first each is kept under its new mask
 * too, then the rows change, and only then the old entries go. A worker that still has the old key first
 * breaks it, and is told of.
 *
 * @throws {SettingsError} MASK_KEY has one key, or the vault's two halves do not belong together
 * @throws {StoreError | RangeError} what is done stays done; run it again
 */
export async function rotateMasks(
  rotation: Rotation,
  settings: Settings,
  why: Justification,
): Promise<number> {
  const ring = readRing(settings);
  const [{ id: first }, ...others] = ring;
  const own = await openKeyPair(settings);
  const fields = rotation.table.masked.map(({ field }) => field);
  const remasker = await createRemasker({ ring, fields, settings, own });
  await assertLockHeld(rotation);
  const { io } = rotation;
  const name = `mask ${others.map(({ id }) => id).join(", ")} → ${first}`;
  await recordRotation(rotation, why, `${name}: begins`);

  const oldIds = others.map(({ id }) => id);
  const before = countLost(await countRows(rotation, oldIds));
  const { entries, left } = await runPhase(io, "1 of 3, vault", async (shown) => {
    const done = await remaskEntries(rotation, { first, remasker, phase: shown });
    return { ...done, words: `${formatCount(done.entries)} entries kept under new masks` };
  });
  const { rows } = await runPhase(io, "2 of 3, rows", async (shown) => {
    const changed = await remaskRows(rotation, shown);
    return { rows: changed, words: `${formatCount(changed)} rows changed` };
  });
  const { removed } = await runPhase(io, "3 of 3, old entries", async (shown) => {
    const gone = await removeOldEntries(rotation, shown);
    return { removed: gone, words: `${formatCount(gone)} removed` };
  });

  const old = await countRows(rotation, oldIds);
  const counts =
    `${formatCount(entries)} entries, ${formatCount(rows)} rows, ${formatCount(removed)} old ` +
    `entries removed, ${formatCount(left.total)} left alone`;
  await recordRotation(rotation, why, `${name}: ${counts}`);
  for (const text of left.lines("vault entries")) io.err(text);
  const late = tellRows(rotation, old, first, oldIds);
  const stray = countLost(old) - before;
  if (stray > 0) {
    io.err(
      `${
        formatCount(stray)
      } rows came with masks of an old key while it ran: a worker still has that key ` +
        "first. Restart it; its values are kept again when they come, then run this again\n",
    );
  }
  io.out(`${name}: ${counts}\n`);
  return left.total === 0 && late === 0 && stray <= 0 ? exit.done : exit.failed;
}

/** Rows whose original is not in the vault. */
function countLost(counts: readonly RowCount[]): number {
  return counts.reduce((sum, { withoutOriginal }) => sum + withoutOriginal, 0);
}

/** @throws {SettingsError} there is nothing to rotate from */
function readRing({ MASK_KEY }: Settings): KeyRing {
  if (MASK_KEY && MASK_KEY.length > 1) return MASK_KEY;
  throw new SettingsError([
    "MASK_KEY: has one key, wanted the new one first and then those that it takes the place of",
  ]);
}

/** Tells which rows still have masks of other keys, and gives how many of them could have another. */
function tellRows(
  { io }: Rotation,
  counts: readonly RowCount[],
  first: string,
  others: readonly string[],
): number {
  let late = 0;
  for (const { field, key, rows, withoutOriginal } of counts) {
    if (key === null || key === first) continue;
    const what = `rows keep a mask of ${key} in the field ${field}`;
    if (withoutOriginal > 0) {
      io.err(
        `${
          formatCount(withoutOriginal)
        } ${what}: the vault has no original of it (forgotten, or stored ` +
          "with VAULT=off)\n",
      );
    }
    if (rows === withoutOriginal) continue;
    late += rows - withoutOriginal;
    const reason = others.includes(key)
      ? "they came meanwhile, or their original was left alone"
      : "the key is not in MASK_KEY";
    io.err(`${formatCount(rows - withoutOriginal)} ${what}: ${reason}\n`);
  }
  return late;
}
