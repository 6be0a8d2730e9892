import { deepStrictEqual, ok } from "node:assert";
import plugin from "./house_rules.ts";

/** The ids of the rules that object to the source, each once. */
function objections(file: string, source: string): string[] {
  return [...new Set(Deno.lint.runPlugin(plugin, file, source).map(({ id }) => id))];
}

function passes(file: string, ...sources: string[]): void {
  for (const source of sources) deepStrictEqual(objections(file, source), [], `${file}: ${source}`);
}

function fails(rule: string, file: string, ...sources: string[]): void {
  for (const source of sources) {
    deepStrictEqual(objections(file, source), [`house/${rule}`], `${file}: ${source}`);
  }
}

function literals(...texts: string[]): string[] {
  return texts.map((text) => `f(${JSON.stringify(text)});`);
}

/** An import of each kind. */
function imports(specifier: string): string[] {
  const quoted = JSON.stringify(specifier);
  return [
    `import { a } from ${quoted};`,
    `import ${quoted};`,
    `import type { A } from ${quoted};`,
    `export { a } from ${quoted};`,
    `export type { A } from ${quoted};`,
    `export * from ${quoted};`,
    `await import(${quoted});`,
    `await import(\`${specifier}\`);`,
    `type A = import(${quoted}).A;`,
    `import a = require(${quoted});`,
  ];
}

const STATEMENTS = [
  "select a, b from maskline.ledger where id = $1",
  "SELECT count(*)\n  FROM maskline.ledger",
  "\n  -- why\n  /* and how */\n  select 1 from t",
  "(select a from t) union (select b from u)",
  "select 1",
  "select $1::int",
  "select pg_advisory_lock($1)",
  "select current_user",
  "insert into maskline.ledger (id) values ($1)",
  "INSERT INTO t SELECT 1",
  "update t set a = 1",
  "update only t as u set a = u.b",
  "delete from t",
  "delete from maskline.vault v where v.mask = $1",
  "merge into t using u on true when matched then do nothing",
  "with new as (select 1) select 2",
  "with recursive r(n) as materialized (values (1)) table r",
  "create table if not exists maskline.ledger (id text)",
  "create unique index concurrently i on t (a)",
  "create index on t (a)",
  "create or replace function f() returns int",
  "CREATE SCHEMA maskline",
  "create role maskline_writer nologin",
  "alter table t add column a int",
  "alter default privileges in schema s grant select on tables to r",
  "drop table maskline.ledger_2024_01_01",
  'drop schema if exists "a b" cascade',
  "truncate table t",
  "TRUNCATE t",
  "truncate t restart identity",
  "grant select, insert on maskline.ledger to maskline_writer",
  "revoke all on schema maskline from public",
  "grant maskline_reader to analyst",
  "BEGIN",
  "COMMIT;",
  "rollback;",
  "begin isolation level serializable",
  "start transaction read only",
  "rollback to savepoint s",
  "savepoint s",
  "set local statement_timeout = '5s'",
  "set search_path to maskline",
  "set transaction isolation level repeatable read",
  "set role maskline_writer",
  "lock table t in share mode",
  "lock maskline.ledger in access exclusive mode",
  "copy t (a, b) from stdin",
  "call maskline.purge($1)",
  "CALL purge()",
  "comment on table t is 'x'",
  "do $$ begin end $$",
  "refresh materialized view v",
];

const ENGLISH = [
  "Select a row from the table",
  "select one of the keys from your key ring",
  "Delete from the queue only what is committed",
  "delete from the queue",
  "delete from queue failed",
  "Insert into the vault",
  "insert into ledger failed",
  "Update the set of keys = restart",
  "update available",
  "With a key as the first one (k1), masks stay the same",
  "with DATABASE_URL as given",
  "Create table partitions with `migrate`",
  "create the tables",
  "create table partitions early",
  "alter nothing",
  "drop",
  "drop user input early",
  "truncate text",
  "Grant access on the table to the writer",
  "Revoke it from the reader",
  "begin",
  "commit",
  "commit a batch",
  "commit failed; the batch is tried again",
  "rollback",
  "rollback to the last good state of things",
  "Set DATABASE_URL to the address of Postgres",
  "set LOG_LEVEL to debug",
  "set aside",
  "SET",
  "lock table",
  "Lock the table in a safe mode",
  "copy the key to a safe place",
  "Copy it from 'keygen'",
  "call close() first",
  "comment on this",
  "do not",
  "-----BEGIN PUBLIC KEY-----",
  "--select FIELD from the list",
];

Deno.test("sql-has-a-home objects when a literal in lib/ is a statement", () => {
  fails("sql-has-a-home", "lib/store/postgres.ts", ...literals(...STATEMENTS));
});

Deno.test("sql-has-a-home passes when a literal only sounds like a statement", () => {
  passes("lib/cli/run.ts", ...literals(...ENGLISH));
});

Deno.test("sql-has-a-home objects when the statement is a template or a sum", () => {
  fails(
    "sql-has-a-home",
    "main.ts",
    "f(`select a from ${table} where b = ${b}`);",
    "f(`insert into ${table} (a) values ($1)`);",
    "sql`update t set a = ${a}`;",
    "f('select a, ' + columns + ' from t');",
    "f('select a' + ` from ${table}` + ' where b');",
  );
});

Deno.test("sql-has-a-home objects once when a sum has several parts", () => {
  const found = Deno.lint.runPlugin(plugin, "main.ts", "f('select 1' + ' from t' + ' where a');");
  deepStrictEqual(found.length, 1);
});

Deno.test("sql-has-a-home objects to one word when it is given to query()", () => {
  fails("sql-has-a-home", "lib/store/postgres.ts", "client.query('begin');", "c.query(`lock t`);");
  passes("lib/store/postgres.ts", "client.query(begin);", "emit('begin');");
});

Deno.test("sql-has-a-home passes when the file is at home, or no part of what is shipped", () => {
  for (
    const file of [
      "lib/store/sql/insert_ledger.ts",
      "lib/store/migrations/0001_ledger.ts",
      "lib/local/postgres.ts",
      "tests/store/postgres_test.ts",
      "deploy/compile.ts",
    ]
  ) passes(file, ...literals("select a from t", "create table t (a int)"));
});

Deno.test("downward-imports passes when the import runs downward or stays in the room", () => {
  passes("main.ts", ...imports("./lib/cli/run.ts"), ...imports("./lib/event/decode.ts"));
  passes("lib/cli/run.ts", ...imports("../pipeline/pipeline.ts"), ...imports("../store/store.ts"));
  passes("lib/pipeline/pipeline.ts", ...imports("../queue/queue.ts"), ...imports("./batch.ts"));
  passes("lib/store/postgres.ts", ...imports("./sql/insert_ledger.ts"));
  passes("lib/store/sql/insert_ledger.ts", ...imports("../store.ts"));
});

Deno.test("downward-imports objects when the import runs upward", () => {
  fails("downward-imports", "lib/event/decode.ts", ...imports("../pipeline/batch.ts"));
  fails("downward-imports", "lib/pipeline/batch.ts", ...imports("../cli/run.ts"));
  fails("downward-imports", "lib/cli/run.ts", ...imports("../../main.ts"));
  fails("downward-imports", "lib/store/sql/insert_ledger.ts", ...imports("../../cli/run.ts"));
});

Deno.test("downward-imports objects when rooms of the ground floor meet, types included", () => {
  fails("downward-imports", "lib/event/decode.ts", ...imports("../mask/mask.ts"));
  fails("downward-imports", "lib/queue/sqs.ts", ...imports("../config/settings.ts"));
});

Deno.test("downward-imports lets lib/local import everything that is shipped", () => {
  for (const address of ["../cli/run.ts", "../pipeline/batch.ts", "../store/store.ts"]) {
    passes("lib/local/run.ts", ...imports(address));
  }
  passes("lib/local/run.ts", ...imports("../../main.ts"));
});

Deno.test("downward-imports objects when what is shipped imports lib/local", () => {
  fails("downward-imports", "main.ts", ...imports("./lib/local/run.ts"));
  fails("downward-imports", "lib/cli/run.ts", ...imports("../local/run.ts"));
  fails("downward-imports", "lib/queue/sqs.ts", ...imports("../local/run.ts"));
});

Deno.test("downward-imports objects when lib/ or main.ts imports tests/ or deploy/", () => {
  fails("downward-imports", "main.ts", ...imports("./deploy/compile.ts"));
  fails("downward-imports", "lib/local/run.ts", ...imports("../../tests/support/fake.ts"));
  fails("downward-imports", "lib/mask/mask.ts", ...imports("../../deploy/compile.ts"));
});

Deno.test("downward-imports lets tests/ and deploy/ import everything", () => {
  for (const file of ["tests/mask/mask_test.ts", "deploy/linux/compile.ts"]) {
    for (const address of ["lib/mask/mask.ts", "lib/local/run.ts", "main.ts", "tests/a.ts"]) {
      passes(file, ...imports(`../../${address}`));
    }
  }
});

Deno.test("downward-imports passes when the import is a package or a file of the root", () => {
  passes("lib/mask/mask.ts", ...imports("node:assert"), ...imports("@logtape/logtape"));
  passes("lib/cli/version.ts", ...imports("../../deno.json"));
});

Deno.test("downward-imports objects when a file of lib/ is in no room", () => {
  fails("downward-imports", "lib/utils/text.ts", "export const a = 1;");
  fails("downward-imports", "lib/mod.ts", "export const a = 1;");
});

Deno.test("downward-imports knows a file by its absolute name, as the linter gives it", () => {
  const file = new URL("../../lib/event/decode.ts", import.meta.url).pathname;
  fails("downward-imports", file, ...imports("../mask/mask.ts"));
  passes(file, ...imports("./contract.ts"));
  passes("/elsewhere/lib/event/decode.ts", ...imports("../mask/mask.ts"));
});

Deno.test("hash-private objects when a member is private or protected", () => {
  const members = [
    "private a = 1;",
    "protected a = 1;",
    "private static a = 1;",
    "declare private a: number;",
    "private accessor a = 1;",
    "private a() {}",
    "protected get a() { return 1; }",
    "private constructor() {}",
    "constructor(private readonly a: number) {}",
    "constructor(protected a = 1) {}",
    "constructor(readonly a: number, private b: number) {}",
    "protected abstract a(): void;",
    "private abstract a: number;",
  ];
  fails(
    "hash-private",
    "lib/mask/a.ts",
    ...members.map((member) => `abstract class A { ${member} }`),
  );
  fails("hash-private", "tests/mask/a_test.ts", "class A { private a = 1; }");
});

Deno.test("hash-private passes when a member has a hash or no modifier", () => {
  passes(
    "lib/mask/a.ts",
    "class A { #a = 1; b = 2; static #c = 3; readonly d = 4; #e() {} get #f() { return 1; } }",
    "class A { public a = 1; constructor(readonly b: number, public c: number) {} }",
    "class A { constructor(isprivate: number, readonly protected_: number) {} }",
  );
});

Deno.test("one-driver objects when a driver is imported outside of its home", () => {
  const cases: Record<string, string[]> = {
    "lib/store/store.ts": ["pg", "pg/lib/client.js", "npm:pg@8.23.1", "npm:/pg", "@types/pg"],
    "lib/store/sql/insert_ledger.ts": ["pg"],
    "lib/cli/check.ts": [
      "@aws-sdk/client-sqs",
      "npm:@aws-sdk/client-sqs@3",
      "@hpke/core",
      "fauxqs",
    ],
    "lib/queue/sqs.ts": ["pg", "@hpke/core", "fauxqs"],
    "lib/store/postgres.ts": ["@electric-sql/pglite", "@electric-sql/pglite-socket/x"],
  };
  for (const [file, specifiers] of Object.entries(cases)) {
    for (const specifier of specifiers) fails("one-driver", file, ...imports(specifier));
  }
});

Deno.test("one-driver passes when a driver is at home", () => {
  passes("lib/store/postgres.ts", ...imports("pg"), ...imports("npm:pg@8.23.1"));
  passes("lib/queue/sqs.ts", ...imports("@aws-sdk/client-sqs"));
  passes("lib/vault/seal.ts", ...imports("@hpke/core"));
  passes("lib/local/queue.ts", ...imports("fauxqs"), ...imports("@electric-sql/pglite-socket"));
  passes("tests/support/queue.ts", ...imports("fauxqs"), ...imports("@electric-sql/pglite"));
});

Deno.test("one-driver passes when a package only begins like a driver", () => {
  passes("lib/cli/run.ts", ...imports("pgvector"), ...imports("./pg"), ...imports("@aws-sdks/a"));
});

Deno.test("every rule says what was wanted when it objects", () => {
  const source = `import "pg"; import "../cli/run.ts"; class A { private a = "select 1"; }`;
  const found = Deno.lint.runPlugin(plugin, "lib/mask/a.ts", source);
  deepStrictEqual(
    found.map(({ id }) => id).sort(),
    Object.keys(plugin.rules).map((rule) => `house/${rule}`).sort(),
  );
  for (const { message } of found) ok(message.includes("wanted"), message);
});
