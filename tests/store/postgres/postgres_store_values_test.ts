import fc from "fast-check";
import { deepStrictEqual } from "node:assert";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import { batchOf, createStore, eventRow, rejectedRow } from "../../support/test_store.ts";

const server = await sharedPostgres();

/** Texts with special characters of array literals, SQL or Unicode. */
const texts: readonly string[] = [
  "",
  " ",
  "  both ends  ",
  "NULL",
  "null",
  '"quoted"',
  "it's",
  "back\\slash",
  "\\",
  '\\"',
  "a,b",
  "{a}",
  "{",
  "}",
  "}, NULL, {",
  "tab\tnew\nline\rreturn",
  "$1; DROP TABLE user_logins; --",
  "\\x00ff",
  "(a,b)",
  "[1:2]={1,2}",
  "Größe Ωλ 日本語",
  "👩‍👩‍👧‍👦🇩🇪",
  "e\u0301",
  "\u202eright to left",
  "\ufeffbom",
  "\u0001\u001f\u007f",
  "\u{10ffff}",
];

async function roundTrip(values: readonly string[]): Promise<string[]> {
  await using store = await createStore(server);
  await store.store.commit(batchOf(values.map((user, index) => eventRow(`m${index}`, { user }))));
  const rows = await store.inside.query<{ user_id: string }>("SELECT user_id FROM user_logins");
  return rows.map(({ user_id }) => user_id).sort();
}

Deno.test("commit() stores texts unchanged when they have special characters of arrays, SQL or Unicode", async () => {
  deepStrictEqual(await roundTrip(texts), [...texts].sort());
});

Deno.test("commit() stores a text unchanged when it is any text that Postgres can store", async () => {
  const text = fc.string({ unit: "binary", maxLength: 60 }).filter((value) =>
    !value.includes("\0") && value.isWellFormed()
  );
  const lists = fc.array(text, { minLength: 100, maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(lists, async (values) => {
      deepStrictEqual(await roundTrip(values), [...values].sort());
    }),
    { numRuns: 5 },
  );
});

Deno.test("commit() finds a duplicate by its id when the id has special characters of arrays", async () => {
  await using store = await createStore(server);
  const ids = texts.filter((id) => id !== "");
  await store.store.commit(
    batchOf(ids.map((id) => eventRow(id, { user: "u", ip: "", device: "" }))),
  );
  const { duplicates } = await store.store.commit(batchOf([
    ...ids.map((id) => eventRow(id, { user: "u" })),
    eventRow("another"),
  ]));
  deepStrictEqual([...duplicates].sort(), [...ids].sort());
});

Deno.test("commit() stores each rejection with its own values when these have special characters of arrays", async () => {
  await using store = await createStore(server);
  const rejections = texts.map((text) => rejectedRow(`id ${text}`, { field: text, reason: text }));
  await store.store.commit(batchOf([], rejections));
  const rows = await store.inside.query<{ message_id: string; field: string; reason: string }>(
    "SELECT message_id, field, reason FROM maskline.rejected",
  );
  deepStrictEqual(
    rows.map(({ message_id, field, reason }) => [message_id, field, reason].join("|")).sort(),
    texts.map((text) => `id ${text}|${text}|${text}`).sort(),
  );
});

Deno.test("commit() stores sealed bodies unchanged when they have every byte or none", async () => {
  await using store = await createStore(server);
  const bodies = [
    new Uint8Array(),
    Uint8Array.from({ length: 256 }, (_, index) => index),
    Uint8Array.from({ length: 256 }, (_, index) => index).subarray(100, 107),
    new Uint8Array(1_048_576).fill(92),
  ];
  const rejections = bodies.map((bytes, index) =>
    rejectedRow(`m${index}`, { sealed: { bytes, keyId: "v1" } })
  );
  await store.store.commit(batchOf([], rejections));
  const rows = await store.inside.query<{ sealed: Uint8Array }>(
    "SELECT sealed FROM maskline.rejected ORDER BY message_id",
  );
  deepStrictEqual(rows.map(({ sealed }) => new Uint8Array(sealed).toHex()), [
    ...bodies.map((bytes) => bytes.toHex()),
  ]);
});

for (const version of [0, 1, 2_146_999_999, 2_147_483_647, -1]) {
  Deno.test(`commit() stores a version unchanged when it is ${version}`, async () => {
    await using store = await createStore(server);
    await store.store.commit(batchOf([eventRow("a", { version })]));
    deepStrictEqual(await store.inside.query("SELECT app_version FROM user_logins"), [
      { app_version: version },
    ]);
  });
}
