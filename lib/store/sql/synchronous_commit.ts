import type { Statement } from "../postgres.ts";

/** Whether a commit that Postgres answered survives its crash (`off`: the last ones may not). */
export const synchronousCommit: Statement = {
  text: `SELECT current_setting('synchronous_commit') AS value`,
};
