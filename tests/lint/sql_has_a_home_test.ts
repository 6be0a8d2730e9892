import { deepStrictEqual } from "node:assert";
import { fails, passes } from "../support/lint_sources.ts";
import plugin from "./house_rules.ts";

function literals(...texts: string[]): string[] {
  return texts.map((text) => `f(${JSON.stringify(text)});`);
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
