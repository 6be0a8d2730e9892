import { findCountersObstacle } from "../custody/books.ts";
import { withDatabases } from "../worker/databases.ts";
import { formatRoles, migrateDatabases } from "../worker/migrate.ts";
import { type Command, exit, UsageError } from "./command.ts";

/** `maskline migrate` */
export const migrateCommand: Command = {
  usage: "migrate [--print-grants [--vault]]",
  help: `
Creates or upgrades Maskline's tables in the schema \`maskline\`, and creates \`public.user_logins\` if it
does not exist; an existing table is used as it is. It is the only command that must run as the owner of the
schema. It is one transaction, and running it again changes nothing. With VAULT_DATABASE_URL it does the
same there, without the table.

  --print-grants   print the SQL that creates the roles of workers, analysts and custodians with the
                   privileges that they need, for you to read and run; connects to nothing
  --vault          with --print-grants: for a database that has the vault alone (VAULT_DATABASE_URL)

  DATABASE_URL=postgres://owner@db/app maskline migrate
  maskline migrate --print-grants | psql -v ON_ERROR_STOP=1 postgres://owner@db/app`,
  options: { "print-grants": { type: "boolean" }, vault: { type: "boolean" } },
  async run(io, { flags }) {
    if (flags["print-grants"]) {
      io.out(formatRoles(flags["vault"] ? "vault" : "rows"));
      return exit.done;
    }
    if (flags["vault"]) throw new UsageError("--vault: is only allowed with --print-grants");
    return await withDatabases(io.source, {}, async (databases) => {
      await migrateDatabases(databases, (where, applied) => {
        if (where === "vault") io.out("the vault's own database:\n");
        io.out(formatMigrations(applied));
      });
      const obstacle = await findCountersObstacle(databases);
      if (obstacle) io.err(`\`maskline check --books\` will fail: ${obstacle}\n`);
      return exit.done;
    });
  },
};

function formatMigrations(names: readonly string[]): string {
  if (names.length === 0) return "nothing to do, the schema is up to date\n";
  return names.map((name) => `applied ${name}\n`).join("");
}
