import { login } from "../contract/login.ts";
import { findCountersObstacle } from "../custody/books.ts";
import { checkSchema } from "../store/postgres/check_schema.ts";
import type { Database } from "../store/postgres/database.ts";
import { migrate } from "../store/postgres/migrate.ts";
import { grants } from "../store/postgres/sql/grants.ts";
import { markVaultElsewhere } from "../store/postgres/sql/vault.ts";
import type { StoredTable } from "../store/postgres/target_table.ts";
import { toStoredTable } from "../worker/contract.ts";
import { withDatabases } from "../worker/databases.ts";
import { type Command, exit, type Io, UsageError } from "./command.ts";

/** `maskline migrate` */
export const migrateCommand: Command = {
  usage: "migrate [--print-grants [--vault]]",
  help: `
Makes or upgrades Maskline's tables in the schema \`maskline\`, and makes \`public.user_logins\` where it is
missing; one that is there is used as it is. The only command that must own the schema. In one
transaction, and again does nothing. With VAULT_DATABASE_URL it does the same there, without the table.

  --print-grants   print the SQL that makes the roles of worker, analysts and custodians and gives them
                   what they need, for you to read and run; connects to nothing
  --vault          with --print-grants: for a database that has the vault alone (VAULT_DATABASE_URL)

  DATABASE_URL=postgres://owner@db/app maskline migrate
  maskline migrate --print-grants | psql -v ON_ERROR_STOP=1 postgres://owner@db/app`,
  options: { "print-grants": { type: "boolean" }, vault: { type: "boolean" } },
  async run(io, { flags }) {
    const table = toStoredTable(login);
    if (flags["print-grants"]) {
      io.out(grants(flags["vault"] ? undefined : table));
      return exit.done;
    }
    if (flags["vault"]) throw new UsageError("--vault: goes with --print-grants");
    return await withDatabases(io, [], async ({ database, vault }) => {
      await migrateOne(io, database, table);
      const obstacle = await findCountersObstacle(database, table);
      if (obstacle) io.err(`check --books cannot count: ${obstacle}\n`);
      if (vault !== database) {
        io.out("the vault's own database:\n");
        await migrateOne(io, vault);
        await database.query(markVaultElsewhere);
      }
      return exit.done;
    });
  },
};

async function migrateOne(io: Io, database: Database, table?: StoredTable): Promise<void> {
  const applied = await migrate(database, table);
  for (const name of applied) io.out(`applied ${name}\n`);
  if (applied.length === 0) io.out("nothing to do, the schema is up to date\n");
  await checkSchema(database, table);
}
