import { type PostgresServer, startPostgres } from "./postgres_server.ts";
import { createTestDatabase } from "./test_database.ts";

let shared: Promise<PostgresServer> | undefined;

/**
 * Returns the server for tests that need a database and no outage: that of `MASKLINE_TEST_POSTGRES_URL`,
 * which `deno task test` sets, or otherwise one that is started for this file and ends with it. Call it
 * at the top of a test file, where no sanitizer counts what it starts:
 *
 * ```ts ignore
 * const server = await sharedPostgres();
 * ```
 */
export function sharedPostgres(): Promise<PostgresServer> {
  const url = Deno.env.get("MASKLINE_TEST_POSTGRES_URL");
  return shared ??= url ? Promise.resolve(borrowedPostgres(url)) : startPostgres();
}

/** Returns a server that other tests use too. It creates databases and cannot be stopped. */
function borrowedPostgres(url: string): PostgresServer {
  const refuse = async () => {
    throw new Error(
      "The Postgres of MASKLINE_TEST_POSTGRES_URL is shared. Use startPostgres() instead.",
    );
  };
  const leave = async () => {};
  return {
    url,
    port: Number(new URL(url).port || 5432),
    pid: undefined,
    template: Deno.env.get("MASKLINE_TEST_TEMPLATE"),
    createDatabase: (prefix) => createTestDatabase(url, prefix),
    stop: refuse,
    start: refuse,
    pause: refuse,
    resume: refuse,
    close: leave,
    [Symbol.asyncDispose]: leave,
  };
}
