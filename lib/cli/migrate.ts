import { readSettings } from "../config/read_settings.ts";
import { login } from "../event/login.ts";
import { migrate } from "../store/migrate.ts";
import { checkSchema } from "../store/check_schema.ts";
import { openDatabase } from "../store/postgres.ts";
import { type Command, exit } from "./command.ts";
import { storedTableOf } from "./stored_table_of.ts";

/** `maskline migrate` */
export const migrateCommand: Command = {
  usage: "migrate",
  help: `
Makes or upgrades Maskline's tables in the schema \`maskline\`, and makes \`public.user_logins\` where it is
missing; one that is there is used as it is. The only command that must own the schema. In one
transaction, and again does nothing.

  DATABASE_URL=postgres://owner@db/app maskline migrate`,
  async run(io) {
    const { DATABASE_URL, STATEMENT_SECONDS } = readSettings(io.source, ["DATABASE_URL"]);
    if (!DATABASE_URL) return exit.wrongUsage;
    const database = openDatabase({
      url: DATABASE_URL,
      connections: 1,
      statementSeconds: STATEMENT_SECONDS,
    });
    const table = storedTableOf(login);
    try {
      const applied = await migrate(database, table);
      for (const name of applied) io.out(`applied ${name}\n`);
      if (applied.length === 0) io.out("nothing to do, the schema is up to date\n");
      await checkSchema(database, table);
      return exit.done;
    } finally {
      await database.close();
    }
  },
};
