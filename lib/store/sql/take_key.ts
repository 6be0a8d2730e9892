import type { Statement } from "../postgres.ts";

/** Takes the key of one event. No row where somebody has it; waits for a batch that is taking it. */
export const takeKey: Statement = {
  text: `
INSERT INTO maskline.dedupe (key, date_sent) VALUES ($1::text, $2::date)
ON CONFLICT DO NOTHING
RETURNING key`,
};
