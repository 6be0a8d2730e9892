import type { Statement } from "../postgres.ts";

/** A message that was set aside, without its body. */
export interface ListedRejection {
  readonly message_id: string;
  /** ISO 8601, UTC. */
  readonly rejected_at: string;
  readonly receive_count: number;
  readonly reason: string;
  readonly field: string | null;
  readonly sqlstate: string | null;
  readonly status: string;
}

/** The newest rejections with a status (all of them where it is null), at most so many. */
export const listRejected: Statement = {
  text: `
SELECT message_id, to_char(rejected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS rejected_at,
  receive_count, reason, field, sqlstate, status
FROM maskline.rejected
WHERE $1::text IS NULL OR status = $1::text
ORDER BY rejected_at DESC, message_id
LIMIT $2::integer`,
};
