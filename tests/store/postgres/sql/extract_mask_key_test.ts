import { strictEqual } from "node:assert";
import { isMask, readKeyId } from "../../../../lib/mask/mask.ts";
import { extractMaskKey } from "../../../../lib/store/postgres/sql/row_masks.ts";
import { sharedPostgres } from "../../../support/shared_postgres.ts";

const server = await sharedPostgres();
const TAG = "aB3-_".repeat(9).slice(0, 43);

Deno.test("extractMaskKey() returns the key id when isMask() returns true, and NULL otherwise", async () => {
  await using inside = await server.createDatabase("masks");
  const texts = [
    `k1.${TAG}`,
    `k2026abcdefghijk.${TAG}`,
    `k2026abcdefghijkl.${TAG}`,
    `K1.${TAG}`,
    `1k.${TAG}`,
    `.${TAG}`,
    `k1.${TAG}A`,
    `k1.${TAG.slice(1)}`,
    `k1.${TAG.slice(1)}.`,
    `k1.${TAG.slice(1)}é`,
    `k1.${TAG.slice(2)}é`,
    `ké.${TAG}`,
    `k1.${TAG}\n`,
    `k1\n.${TAG}`,
    `k1.k1.${TAG.slice(3)}`,
    "203.0.113.7",
    "",
  ];
  for (const text of texts) {
    const [row] = await inside.query<{ key: string | null }>(
      `SELECT ${extractMaskKey("mask")} AS key FROM (SELECT $1::text AS mask) AS one`,
      [text],
    );
    strictEqual(row?.key ?? null, isMask(text) ? readKeyId(text) : null, JSON.stringify(text));
  }
});
