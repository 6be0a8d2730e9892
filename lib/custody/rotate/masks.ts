import { OperationError } from "../../base/errors.ts";
import { exit } from "../../cli/command.ts";
import { formatCount } from "../../cli/terminal/format.ts";
import { type Phase, runPhase } from "../../cli/terminal/progress.ts";
import { type Settings, SettingsError } from "../../config/read_settings.ts";
import type { KeyRing } from "../../base/named_key.ts";
import { nextSteps, removeSteps, type RotationStep } from "../../store/postgres/sql/rotation.ts";
import { remaskRows as remaskRowsIn } from "../../store/postgres/sql/row_masks.ts";
import { removeOriginals } from "../../store/postgres/sql/vault.ts";
import { walkBlocks } from "../../store/postgres/walk_blocks.ts";
import { openKeyPair } from "../../worker/keys.ts";
import type { Justification } from "../audit.ts";
import { createRemasker, remaskEntries } from "./remask.ts";
import { assertLockHeld, recordRotation, type Rotation } from "./rotation.ts";
import { countRows, type RowCount } from "./status.ts";

/**
 * Brings every mask of the vault and of the target table to the first key of MASK_KEY, while workers go
 * on, and gives the exit status. It may be killed at any moment and run again.
 *
 * The order keeps every row's original in the vault at every moment: first each is kept under its new mask
 * too, then the rows change, and only then the old entries go. A worker that still has the old key first
 * breaks it, and is told of.
 *
 * @throws {SettingsError} MASK_KEY has one key, or the vault's two halves do not belong together
 * @throws {StoreError | OperationError} what is done stays done; run it again
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

/** Blocks of the target table a transaction: some 10,000 rows. A guess. */
const TABLE_BLOCKS_PER_RANGE = 200;

/** Walks over the table before it is given up: two do where no worker makes masks of an old key. */
const MAX_WALKS = 6;

/**
 * The second phase: gives every row the new masks that are noted. Rows that are changed move to where
 * there is room, and have new masks there. Walks the table until nothing is left to change, so that no row
 * has an old mask that is noted when this resolves; but for those that a worker makes after it.
 *
 * @returns the rows that were changed
 * @throws {OperationError} each walk finds new ones: some worker still makes masks of an old key
 */
export async function remaskRows(rotation: Rotation, phase: Phase): Promise<number> {
  const { database, table } = rotation;
  const statement = remaskRowsIn(table);
  let rows = 0;
  for (let walk = 1; walk <= MAX_WALKS; walk++) {
    const before = rows;
    for await (
      const { from, end, reached, blocks } of walkBlocks(database, table, TABLE_BLOCKS_PER_RANGE)
    ) {
      await assertLockHeld(rotation);
      const [changed] = await database.query<{ rows: number }>(statement, [from, end]);
      rows += changed?.rows ?? 0;
      phase.at(`${formatCount(rows)} rows, walk ${walk}`, reached / blocks);
    }
    if (rows === before) return rows;
  }
  throw new OperationError(
    "Rows with masks of an old key keep coming: restart every worker with the new key first in " +
      "MASK_KEY, and run this again. Nothing has been removed",
  );
}

/** Entries a transaction. A guess. */
const STEPS_PER_PAGE = 1000;

/**
 * The third phase: removes the entries of the old masks that are noted, and then their steps. Only to be
 * called when no row has such a mask any more.
 *
 * @returns the steps that were removed: when this resolves, none is left
 */
export async function removeOldEntries(rotation: Rotation, phase: Phase): Promise<number> {
  const { database, vault } = rotation;
  let removed = 0;
  let last = { field: "", old_mask: "" };
  for (;;) {
    await assertLockHeld(rotation);
    const steps = await database.query<RotationStep>(nextSteps, [
      last.field,
      last.old_mask,
      STEPS_PER_PAGE,
    ]);
    const end = steps.at(-1);
    if (!end) return removed;
    last = end;
    const names = [steps.map(({ field }) => field), steps.map(({ old_mask }) => old_mask)];
    // The step last: without it, a run that is killed in between would not come back for the entry.
    await vault.query(removeOriginals, names);
    await database.query(removeSteps, names);
    removed += steps.length;
    phase.at(`${formatCount(removed)} entries`);
  }
}
