import type { Statement } from "../postgres.ts";
import type { ListedRejection } from "./list_rejected.ts";

/** A message that was set aside, with its sealed body. */
export interface FoundRejection extends ListedRejection {
  /** ISO 8601, UTC. */
  readonly sent_at: string;
  /** Empty once the message was replayed or discarded. */
  readonly sealed: Uint8Array;
  readonly key_id: string;
}

/** One rejection by its message's id. */
export const findRejected: Statement = {
  text: `
SELECT message_id,
  to_char(sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS sent_at,
  to_char(rejected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS rejected_at,
  receive_count, reason, field, sqlstate, status, sealed, key_id
FROM maskline.rejected
WHERE message_id = $1::text`,
};
