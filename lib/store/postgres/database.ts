import { Buffer } from "node:buffer";
import { Socket } from "node:net";
// @deno-types="@types/pg"
import pg from "pg";
import { begin, commit } from "./sql/session.ts";
import { toStoreError } from "./sqlstate.ts";
import type { Statement } from "./statement.ts";
import { resolveTls } from "./tls.ts";

/** A value of a statement's parameter. */
export type Parameter =
  | string
  | number
  | null
  | Uint8Array
  | readonly (string | number | null | Uint8Array)[];

/** The calls of a database connection that Maskline uses. */
export interface Queryable {
  /**
   * Runs a statement and returns its rows, each an object by column name.
   *
   * @throws {StoreError} its kind is that of the SQLSTATE; a network failure is `transient`
   */
  query<Row>(statement: Statement, parameters?: readonly Parameter[]): Promise<Row[]>;
}

/** A pool of connections to one database. */
export interface Database extends Queryable {
  /** Runs `work` in one transaction on one connection, and rolls back if it throws. */
  transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T>;
  /** Drops all connections within half a second. Statements in progress fail as `transient`. */
  close(): Promise<void>;
}

/** Options of {@linkcode openDatabase}. */
export interface DatabaseOptions {
  readonly url: URL;
  readonly connections: number;
  /** A statement without an answer for this time fails as `transient`, and its connection is dropped. */
  readonly statementSeconds: number;
}

/** How long a peer may take to close a connection. An estimate, not measured: a few round trips. */
const CLOSE_TIMEOUT_MS = 500;

/** Opens a pool. Nothing connects before the first statement. This is the only file that knows the driver. */
export function openDatabase(options: DatabaseOptions): Database {
  const milliseconds = options.statementSeconds * 1000;
  const sockets = new Set<Socket>();
  const pool = new pg.Pool({
    ...createConnectionConfig(options.url),
    max: options.connections,
    application_name: "maskline",
    connectionTimeoutMillis: milliseconds,
    statement_timeout: milliseconds,
    // The server cancels first and reports it. This timeout is for a peer that never answers.
    query_timeout: milliseconds + 1000,
    keepAlive: true,
    // Idle connections are kept, because reconnecting costs more than a few open ones.
    idleTimeoutMillis: 0,
    stream() {
      const socket = new Socket();
      sockets.add(socket);
      return socket.on("close", () => sockets.delete(socket));
    },
  });
  // Without a listener an idle connection that breaks would end the process. The next statement on it fails
  // and reports the cause.
  pool.on("error", () => {});
  const clients = new Set<pg.PoolClient>();
  pool.on("connect", (client) => {
    clients.add(client);
    // The pool listens only while the connection is idle, not while it is in use.
    client.on("error", () => {});
  });
  pool.on("remove", (client) => clients.delete(client));
  const run = async <Row>(
    client: pg.Pool | pg.PoolClient,
    statement: Statement,
    parameters: readonly Parameter[],
  ): Promise<Row[]> => {
    const { name, text } = statement;
    const config = { text, values: parameters.map(toDriverValue), ...(name ? { name } : {}) };
    try {
      return (await client.query(config)).rows as Row[];
    } catch (error) {
      throw toStoreError(error);
    }
  };
  return {
    query: (statement, parameters = []) => run(pool, statement, parameters),
    async transaction(work) {
      const client = await pool.connect().catch((error) => {
        throw toStoreError(error);
      });
      const connection: Queryable = {
        query: (statement, parameters = []) => run(client, statement, parameters),
      };
      try {
        await connection.query(begin);
        const result = await work(connection);
        await connection.query(commit);
        client.release();
        return result;
      } catch (error) {
        // Dropping the connection rolls back, even if ROLLBACK could not be sent.
        client.release(true);
        throw error;
      }
    },
    async close() {
      // The pool alone would wait for statements in progress, and for a peer that never answers until their
      // timeout. Ending a client that waits for an answer drops its connection.
      const ending = [...clients].map((client) => (client as unknown as pg.Client).end());
      // An idle connection sends a Terminate message, and a new one waits for an answer. Over a dead network
      // both would wait indefinitely.
      const timer = setTimeout(
        () => sockets.forEach((socket) => socket.destroy()),
        CLOSE_TIMEOUT_MS,
      );
      await Promise.allSettled([...ending, pool.end()]);
      clearTimeout(timer);
      // A server that refused the connection may keep its end open.
      sockets.forEach((socket) => socket.destroy());
    },
  };
}

function createConnectionConfig(url: URL): pg.PoolConfig {
  const bare = new URL(url);
  const ssl = resolveTls(url);
  // The driver interprets these in its own way. Maskline's interpretation is the documented one.
  for (const name of ["sslmode", "sslrootcert"]) bare.searchParams.delete(name);
  return { connectionString: bare.href, ssl };
}

function toDriverValue(parameter: Parameter): unknown {
  if (parameter instanceof Uint8Array) return Buffer.from(parameter);
  if (Array.isArray(parameter)) {
    return parameter.some((value) => value instanceof Uint8Array)
      ? parameter.map((value) => value instanceof Uint8Array ? Buffer.from(value) : value)
      : formatArray(parameter);
  }
  return parameter;
}

/**
 * Formats an array as Postgres reads it in text, `{1,"a",NULL}`
 * (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO). The driver does this too, but it inspects and
 * escapes every element, at several times the cost for the thousands of values in a batch.
 */
export function formatArray(values: readonly (string | number | null)[]): string {
  let text = "{";
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ",";
    const value = values[index] ?? null;
    if (value === null) text += "NULL";
    else if (typeof value === "number") text += value;
    else text += SPECIAL.test(value) ? `"${value.replace(ESCAPED, "\\$&")}"` : `"${value}"`;
  }
  return `${text}}`;
}

const SPECIAL = /["\\]/;
const ESCAPED = /["\\]/g;
