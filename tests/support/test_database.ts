// @ts-types="@types/pg"
import { Client, escapeIdentifier } from "pg";

/** A database of one test. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
  /** Runs one statement on a connection of its own, so that no socket outlives a test or an outage. */
  query<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /** Removes the database, whoever is still connected to it. Disposing of it does the same. */
  drop(): Promise<void>;
}

/** Makes an empty, uniquely named database on the server at `serverUrl`. */
export async function createTestDatabase(
  serverUrl: string,
  prefix = "test",
): Promise<TestDatabase> {
  // Cut so that the name stays below the 63 bytes at which Postgres would cut it silently.
  const name = `${prefix.slice(0, 30)}_${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;
  const identifier = escapeIdentifier(name);
  // `template1` cannot be copied while somebody is connected to it; nobody can be to `template0`.
  await queryOnce(serverUrl, `CREATE DATABASE ${identifier} TEMPLATE template0`, []);
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  const drop = async () => {
    await queryOnce(serverUrl, `DROP DATABASE IF EXISTS ${identifier} WITH (FORCE)`, []);
  };
  return {
    name,
    url: url.href,
    query: <Row>(sql: string, params: readonly unknown[] = []) =>
      queryOnce<Row>(url.href, sql, params),
    drop,
    [Symbol.asyncDispose]: drop,
  };
}

async function queryOnce<Row>(
  url: string,
  sql: string,
  params: readonly unknown[],
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  // A lost connection rejects the query and is emitted as well; without a listener it ends the process.
  client.on("error", () => {});
  await client.connect();
  try {
    const { rows } = await client.query(sql, [...params]);
    return rows;
  } finally {
    await client.end();
  }
}
