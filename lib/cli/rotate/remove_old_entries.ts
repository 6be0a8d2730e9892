import { removeOriginals } from "../../store/sql/remove_originals.ts";
import { nextSteps, removeSteps, type RotationStep } from "../../store/sql/rotation_steps.ts";
import type { Phase } from "./phase.ts";
import { assertLockHeld, type Rotation } from "./rotation.ts";
import { formatCount } from "../thousands.ts";

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
