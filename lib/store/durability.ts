import type { Queryable } from "./postgres.ts";
import { synchronousCommit } from "./sql/synchronous_commit.ts";

/**
 * What of the database's settings breaks the promise that nothing is lost, a sentence each. With
 * `synchronous_commit` off Postgres answers before a commit is written down, so its crash takes rows
 * whose messages are deleted (https://www.postgresql.org/docs/current/wal-async-commit.html).
 */
export async function durabilityWarnings(database: Queryable): Promise<string[]> {
  const [setting] = await database.query<{ value: string }>(synchronousCommit);
  return setting?.value === "off"
    ? [
      "synchronous_commit is off: a crash of Postgres loses rows whose messages are deleted already",
    ]
    : [];
}
