import { deepStrictEqual, ok, strictEqual } from "node:assert";
// @ts-types="@types/pg"
import pg from "pg";
import { commitBatch } from "../../../../lib/store/postgres/sql/batch.ts";
import { sharedPostgres } from "../../../support/shared_postgres.ts";
import { createStore, dayAfter, eventRow, loginTable, TODAY } from "../../../support/test_store.ts";

const server = await sharedPostgres();

const ROWS = 500;
const events = Array.from({ length: ROWS }, (_, index) => eventRow(`m${index}`));

/** Formats the statement's arguments for {@linkcode ROWS} events and no rejection as SQL. */
function argumentsFor(dedupe: boolean): string {
  const lists: (readonly unknown[])[] = [
    events.map(({ id }) => id),
    events.map(() => TODAY),
    ...loginTable.columns.map((_, index) => events.map(({ values }) => values[index])),
    ...Array.from({ length: 9 }, () => []),
    ...(dedupe ? [events.map(({ id }) => `d:${id}`)] : []),
  ];
  const arrays = lists.map((list) => `'{${list.map((value) => JSON.stringify(value)).join(",")}}'`);
  return `'${crypto.randomUUID()}', ${arrays.join(", ")}`;
}

/** Lists the kinds of nodes in the plan, each with the relation that it reads. */
async function nodesOf(mode: string, dedupe: boolean): Promise<string[]> {
  await using store = await createStore(server, { dedupe });
  await store.inside.query("SELECT maskline.make_ledger_days($1)", [[dayAfter(-1), TODAY]]);
  await store.inside.query(
    `INSERT INTO maskline.ledger SELECT 'old' || n, current_date - n % 2, 'committed',
      gen_random_uuid() FROM generate_series(1, 20000) AS n`,
  );
  await store.inside.query("ANALYZE maskline.ledger");
  const client = new pg.Client({ connectionString: store.inside.url });
  await client.connect();
  try {
    await client.query(`PREPARE commit AS ${commitBatch(loginTable, { dedupe }).text}`);
    await client.query(`SET plan_cache_mode = ${mode}`);
    const { rows } = await client.query(
      `EXPLAIN (FORMAT JSON) EXECUTE commit (${argumentsFor(dedupe)})`,
    );
    return flatten(rows[0]["QUERY PLAN"][0]["Plan"]);
  } finally {
    await client.end();
  }
}

interface Node {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly Plans?: readonly Node[];
}

function flatten(node: Node): string[] {
  const { "Node Type": type, "Relation Name": relation = "" } = node;
  return [`${type} ${relation}`.trim(), ...(node.Plans ?? []).flatMap(flatten)];
}

for (const mode of ["force_custom_plan", "force_generic_plan"]) {
  for (const dedupe of [false, true]) {
    const which = `${mode.split("_")[1]} plan ${dedupe ? "with" : "without"} keys`;
    Deno.test(`commitBatch() compares no row with every other when a batch has ${ROWS} (${which})`, async () => {
      const nodes = await nodesOf(mode, dedupe);
      ok(nodes.includes("ModifyTable user_logins"), nodes.join("\n"));
      deepStrictEqual(nodes.filter((node) => /^(?:Nested Loop|Materialize)/.test(node)), []);
    });

    Deno.test(`commitBatch() reads no whole table when a batch has ${ROWS} rows (${which})`, async () => {
      const nodes = await nodesOf(mode, dedupe);
      deepStrictEqual(nodes.filter((node) => node.startsWith("Seq Scan")), []);
    });
  }
}

Deno.test("commitBatch() does not use keys when dedupe is off", () => {
  ok(!commitBatch(loginTable).text.includes("dedupe"));
});

Deno.test("commitBatch() has another name when dedupe is on", () => {
  // One name for two texts would make the second fail on a connection that prepared the first.
  strictEqual(commitBatch(loginTable).name, "maskline_commit_user_logins");
  strictEqual(commitBatch(loginTable, { dedupe: true }).name, "maskline_commit_user_logins_by_key");
});

Deno.test("commitBatch() quotes names when a table and its columns have special characters", () => {
  const { text } = commitBatch({
    schema: 'my "shop"',
    name: "order",
    columns: [{ name: "user", type: "varchar(8)" }],
    dateSent: { name: "of day", type: "date" },
  });
  ok(text.includes('INSERT INTO "my ""shop"""."order" ("user", "of day")'), text);
});
