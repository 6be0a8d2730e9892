import fc from "fast-check";
import { deepStrictEqual, strictEqual } from "node:assert";
import { formatArray } from "../../../lib/store/postgres/database.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";

const server = await sharedPostgres();

Deno.test("formatArray() writes NULL, the text NULL and an empty text differently when a list has all of them", () => {
  strictEqual(formatArray([null, "NULL", "", -1.5, 0]), '{NULL,"NULL","",-1.5,0}');
  strictEqual(formatArray([]), "{}");
});

Deno.test("formatArray() escapes only quotes and backslashes when a text has special characters", () => {
  strictEqual(formatArray(['a"b', "\\", "{,}", "\n"]), '{"a\\"b","\\\\","{,}","\n"}');
});

Deno.test("formatArray() returns what Postgres reads as the same list when it has any texts", async () => {
  await using database = await server.createDatabase("array");
  // Texts that Postgres cannot store are rejected before.
  const text = fc.string({ unit: "binary", maxLength: 20 }).map((value) =>
    value.toWellFormed().replaceAll("\0", "")
  );
  const piece = fc.constantFrom('"', "\\", "{", "}", ",", "NULL", " ", "\n", "\t", "'", "é");
  const any = fc.oneof(text, fc.array(piece).map((pieces) => pieces.join("")), fc.constant(null));
  const values = fc.sample(any, 5_000);
  const [row] = await database.query<{ texts: (string | null)[] }>(
    "SELECT array_to_json($1::text[]) AS texts",
    [formatArray(values)],
  );
  deepStrictEqual(row?.texts, values);
});
