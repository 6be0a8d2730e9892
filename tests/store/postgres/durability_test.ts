import { deepStrictEqual, match } from "node:assert";
import { findDurabilityWarnings } from "../../../lib/store/postgres/check_schema.ts";
import { openDatabase } from "../../../lib/store/postgres/database.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";

const postgres = await sharedPostgres();

async function warnings(settings: string): Promise<string[]> {
  await using database = await postgres.createDatabase();
  await database.query(`ALTER DATABASE ${database.name} SET synchronous_commit = ${settings}`);
  const opened = openDatabase({ url: new URL(database.url), connections: 1, statementSeconds: 15 });
  try {
    return await findDurabilityWarnings(opened);
  } finally {
    await opened.close();
  }
}

Deno.test("findDurabilityWarnings() warns when commits are answered before they are written", async () => {
  match((await warnings("off")).join(), /synchronous_commit is off/);
});

Deno.test("findDurabilityWarnings() is silent when commits are written first", async () => {
  for (const value of ["on", "local", "remote_apply"]) deepStrictEqual(await warnings(value), []);
});
