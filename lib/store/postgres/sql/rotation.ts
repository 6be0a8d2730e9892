/**
 * `maskline.rotation (field text, old_mask text, new_mask text)`, primary key (field, old_mask): the steps of a
 * rotation of the mask key. Empty unless one is in progress, because it links masks of two keys.
 *
 * @module
 */
import { statement } from "../statement.ts";

/** An old mask, and the new one that replaces it. */
export interface RotationStep {
  readonly field: string;
  readonly old_mask: string;
  readonly new_mask: string;
}

/** Reads whether a rotation of the mask key is in progress. */
export const findRotation = statement(`SELECT EXISTS (SELECT FROM maskline.rotation) AS present`);

/** Prevents a rotation from starting before the transaction ends. */
export const preventRotation = statement(`LOCK TABLE maskline.rotation IN SHARE MODE`);

/**
 * Takes the lock of rotations until the session ends; `held` is false if another session has it. Taking it
 * again does no harm. The number is Maskline's own, "rota" in ASCII.
 */
export const lockRotation = statement(`SELECT pg_try_advisory_lock(1919906913) AS held`);

/** Finds the steps of the fields `$1` and old masks `$2`. */
export const findSteps = statement(`
SELECT field, old_mask, new_mask FROM maskline.rotation
WHERE (field, old_mask) IN (SELECT * FROM unnest($1::text[], $2::text[]))`);

/**
 * Records the steps of the fields `$1`, old masks `$2` and new masks `$3`. A step to a different mask remained
 * from a rotation to another key that never ended, and is replaced.
 */
export const recordSteps = statement(`
INSERT INTO maskline.rotation AS present (field, old_mask, new_mask)
SELECT field COLLATE "C", old_mask COLLATE "C", new_mask
FROM unnest($1::text[], $2::text[], $3::text[]) AS step (field, old_mask, new_mask)
ORDER BY 1, 2
ON CONFLICT (field, old_mask) DO UPDATE SET new_mask = excluded.new_mask
WHERE present.new_mask <> excluded.new_mask`);

/** Reads the steps after the field `$1` and the old mask `$2`, at most `$3`. */
export const readSteps = statement(`
SELECT field, old_mask, new_mask FROM maskline.rotation
WHERE (field, old_mask) > ($1::text, $2::text)
ORDER BY field, old_mask
LIMIT $3::integer`);

/** Removes the steps of the fields `$1` and old masks `$2`. */
export const removeSteps = statement(`
DELETE FROM maskline.rotation
WHERE (field, old_mask) IN (SELECT * FROM unnest($1::text[], $2::text[]))`);

/** Removes the steps away from masks of the key `$1`: those of a rotation that is being reversed. */
export const removeStepsFrom = statement(
  `DELETE FROM maskline.rotation WHERE split_part(old_mask, '.', 1) = $1::text`,
);
