import { Buffer } from "node:buffer";
// @deno-types="@types/pg"
import pg from "pg";
import { begin, commit } from "./sql/transaction.ts";
import { kindOfSqlstate } from "./sqlstate.ts";
import { StoreError } from "./store.ts";
import { tlsOf } from "./tls.ts";

/** A value that a statement's parameter takes. */
export type Parameter =
  | string
  | number
  | null
  | Uint8Array
  | readonly (string | number | null | Uint8Array)[];

/** A statement: prepared once a connection where it has a name. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
}

/** The part of a database connection that Maskline uses. */
export interface Queryable {
  /**
   * Runs a statement and gives its rows, each an object by column name.
   *
   * @throws {StoreError} with the kind by its SQLSTATE; a network failure is `transient`
   */
  query<Row>(statement: Statement, parameters?: readonly Parameter[]): Promise<Row[]>;
}

/** A pool of connections to one database. */
export interface Database extends Queryable {
  /** Runs `work` in one transaction on one connection; rolls back when it throws. */
  transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Options of {@linkcode openDatabase}. */
export interface DatabaseOptions {
  readonly url: URL;
  readonly connections: number;
  /** A statement without an answer for this long fails as `transient`, and its connection is dropped. */
  readonly statementSeconds: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string;
}

/** Opens a pool. Nothing is connected before the first statement. The only file that knows the driver. */
export function openDatabase(options: DatabaseOptions): Database {
  const milliseconds = options.statementSeconds * 1000;
  const pool = new pg.Pool({
    ...connectionOf(options.url),
    max: options.connections,
    application_name: options.applicationName ?? "maskline",
    connectionTimeoutMillis: milliseconds,
    statement_timeout: milliseconds,
    // The server cancels first and says so; this one notices a peer that never answers at all.
    query_timeout: milliseconds + 1000,
    keepAlive: true,
    // Idle connections are kept: reconnecting costs more than holding a few.
    idleTimeoutMillis: 0,
  });
  // Without a listener an idle connection that breaks would end the process. The next statement on
  // it fails and says what happened, so there is nothing to do here.
  pool.on("error", () => {});
  const clients = new Set<pg.PoolClient>();
  pool.on("connect", (client) => clients.add(client));
  pool.on("remove", (client) => clients.delete(client));
  const run = async <Row>(
    client: pg.Pool | pg.PoolClient,
    statement: Statement,
    parameters: readonly Parameter[],
  ): Promise<Row[]> => {
    const { name, text } = statement;
    const config = { text, values: parameters.map(toDriver), ...(name ? { name } : {}) };
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
        // Dropping the connection rolls back, also where ROLLBACK itself could not be sent.
        client.release(true);
        throw error;
      }
    },
    async close() {
      // The pool alone would wait for statements under way, and with a peer that never answers for
      // their whole time-out. Ending a client that waits for an answer drops its connection.
      const ending = [...clients].map((client) => (client as unknown as pg.Client).end());
      await Promise.allSettled([...ending, pool.end()]);
    },
  };
}

function connectionOf(url: URL): pg.PoolConfig {
  const bare = new URL(url);
  const ssl = tlsOf(url);
  // The driver has its own reading of these; Maskline's is the one that is documented.
  for (const name of ["sslmode", "sslrootcert"]) bare.searchParams.delete(name);
  return { connectionString: bare.href, ssl };
}

function toDriver(parameter: Parameter): unknown {
  if (parameter instanceof Uint8Array) return Buffer.from(parameter);
  if (Array.isArray(parameter)) {
    return parameter.map((value) => value instanceof Uint8Array ? Buffer.from(value) : value);
  }
  return parameter;
}

const IDENTIFIERS_ONLY = /^(?:28|3D|3F|42)/;

function toStoreError(error: unknown): StoreError {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === "string" && /^[0-9A-Z]{5}$/.test(code)) {
    // These arise before any parameter is looked at, so their text names tables, columns and users,
    // and no value. All other texts of Postgres may quote the row and are dropped.
    const text = IDENTIFIERS_ONLY.test(code) ? `: ${String(message)}` : "";
    return new StoreError(
      kindOfSqlstate(code),
      code,
      `Postgres refused with SQLSTATE ${code}${text}`,
    );
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new StoreError(
      "fatal",
      "not_permitted",
      "This binary was not made for that database host",
    );
  }
  // The driver's own failures have no code or the network's (ECONNREFUSED, ETIMEDOUT, …).
  const reason = typeof code === "string" ? code : "connection_lost";
  const kind = FATAL_CODES.has(reason) ? "fatal" : "transient";
  return new StoreError(kind, reason, `Postgres did not answer: ${reason}`);
}

/** TLS failures of a certificate: no retry mends them, and going on without TLS is no choice. */
const FATAL_CODES: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
