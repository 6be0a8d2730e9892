import type { Statement } from "../postgres.ts";

/** Whether keys of events are kept at all, as with `DEDUPE_FIELD`. */
export const hasKeys: Statement = {
  text: `SELECT EXISTS (SELECT FROM maskline.dedupe) AS present`,
};
