import { login } from "../event/login.ts";
import { migrate } from "../store/migrate.ts";
import { checkSchema } from "../store/check_schema.ts";
import { type Command, exit } from "./command.ts";
import { storedTableOf } from "./stored_table_of.ts";
import { withDatabase } from "./with_database.ts";

/** `maskline migrate` */
export const migrateCommand: Command = {
  usage: "migrate",
  help: `
Makes or upgrades Maskline's tables in the schema \`maskline\`, and makes \`public.user_logins\` where it is
missing; one that is there is used as it is. The only command that must own the schema. In one
transaction, and again does nothing.

  DATABASE_URL=postgres://owner@db/app maskline migrate`,
  run: (io) =>
    withDatabase(io, async (database) => {
      const table = storedTableOf(login);
      const applied = await migrate(database, table);
      for (const name of applied) io.out(`applied ${name}\n`);
      if (applied.length === 0) io.out("nothing to do, the schema is up to date\n");
      await checkSchema(database, table);
      return exit.done;
    }),
};
