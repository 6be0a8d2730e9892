import type { Statement } from "../postgres.ts";

const ELSEWHERE = "The vault of these rows is in a database of its own";

/** Notes for good that the vault of this database's rows is in another one. */
export const markVaultElsewhere: Statement = {
  text: `COMMENT ON TABLE maskline.vault IS '${ELSEWHERE}'`,
};

/** Whether that was noted. */
export const vaultIsElsewhere: Statement = {
  text: `
SELECT coalesce(obj_description(to_regclass('maskline.vault'), 'pg_class') = '${ELSEWHERE}', false)
  AS elsewhere`,
};
