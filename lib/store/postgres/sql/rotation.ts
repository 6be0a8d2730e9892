import type { Statement } from "../database.ts";

/** A mask of before, and the one that takes its place. */
export interface RotationStep {
  readonly field: string;
  readonly old_mask: string;
  readonly new_mask: string;
}

/** The steps that are noted for the fields `$1` and old masks `$2`. */
export const findSteps: Statement = {
  text: `
SELECT field, old_mask, new_mask FROM maskline.rotation
WHERE (field, old_mask) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
};

/**
 * Notes the steps of the fields `$1`, old masks `$2` and new masks `$3`. One towards another mask is left
 * from a rotation to another key that never ended, and gives way.
 */
export const recordSteps: Statement = {
  text: `
INSERT INTO maskline.rotation AS present (field, old_mask, new_mask)
SELECT field COLLATE "C", old_mask COLLATE "C", new_mask
FROM unnest($1::text[], $2::text[], $3::text[]) AS step (field, old_mask, new_mask)
ORDER BY 1, 2
ON CONFLICT (field, old_mask) DO UPDATE SET new_mask = excluded.new_mask
WHERE present.new_mask <> excluded.new_mask`,
};

/** The next steps after the field `$1` and the old mask `$2`, at most `$3`. */
export const nextSteps: Statement = {
  text: `
SELECT field, old_mask, new_mask FROM maskline.rotation
WHERE (field, old_mask) > ($1::text, $2::text)
ORDER BY field, old_mask
LIMIT $3::integer`,
};

/** Removes the steps of the fields `$1` and old masks `$2`. */
export const removeSteps: Statement = {
  text: `
DELETE FROM maskline.rotation
WHERE (field, old_mask) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
};

/** Removes the steps away from masks of the key `$1`: those of a rotation that is being turned back. */
export const removeStepsFrom: Statement = {
  text: `DELETE FROM maskline.rotation WHERE split_part(old_mask, '.', 1) = $1::text`,
};

/** Whether a rotation of the mask key is under way. */
export const rotationUnderWay: Statement = {
  text: `SELECT EXISTS (SELECT FROM maskline.rotation) AS present`,
};

/** Lets none begin before the transaction's end. */
export const holdRotation: Statement = { text: `LOCK TABLE maskline.rotation IN SHARE MODE` };

/**
 * Takes the lock of rotations for as long as the session lasts; `held` is false where another session has
 * it. Taking it again does no harm. The number is Maskline's own, "rota" in ASCII.
 */
export const lockRotation: Statement = { text: `SELECT pg_try_advisory_lock(1919906913) AS held` };
