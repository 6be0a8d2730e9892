import type { Statement } from "../postgres.ts";

/** Whether a rotation of the mask key is under way. */
export const rotationUnderWay: Statement = {
  text: `SELECT EXISTS (SELECT FROM maskline.rotation) AS present`,
};

/** Lets none begin before the transaction's end. */
export const holdRotation: Statement = { text: `LOCK TABLE maskline.rotation IN SHARE MODE` };
