import { openSession } from "./open_session.ts";
import type { PostgresServer } from "./postgres_server.ts";
import type { TestDatabase } from "./test_database.ts";

/** The groups of `maskline migrate --print-grants`. */
export type Role = "writer" | "reader" | "custodian";

/** A login in each group, for one database. Disposing of it removes the logins: after the database. */
export interface Logins extends AsyncDisposable {
  /** Returns the database's URL for a member of the group. */
  url(role: Role): string;
}

/**
 * Creates a login in each group, for a database of `createMigratedDatabase`, which has the
 * groups and their grants. The groups belong to the whole server and stay; the logins are named after
 * the database.
 */
export async function createLogins(
  server: PostgresServer,
  database: TestDatabase,
): Promise<Logins> {
  const password = crypto.randomUUID();
  const roles: readonly Role[] = ["writer", "reader", "custodian"];
  const nameOf = (role: Role) => `${database.name}_${role}`;
  const logins = roles.map((role) =>
    `CREATE ROLE ${nameOf(role)} LOGIN PASSWORD '${password}' IN ROLE maskline_${role};`
  );
  await database.query(logins.join("\n"));
  return {
    url(role) {
      const url = new URL(database.url);
      url.username = nameOf(role);
      // The tests' own server asks for no password on loopback, but a server that is lent to them may ask.
      url.password = password;
      return url.href;
    },
    async [Symbol.asyncDispose]() {
      await using session = await openSession(server.url);
      await session.query(`DROP ROLE IF EXISTS ${roles.map(nameOf).join(", ")}`);
    },
  };
}
