import { StoreError, type StoreErrorKind } from "../store.ts";

/** A row of the table: a class (two characters) or a whole SQLSTATE, and its kind. */
export interface SqlstateRow {
  readonly code: string;
  readonly kind: StoreErrorKind;
  readonly why: string;
}

/**
 * Says what each failure obliges Maskline to do, by SQLSTATE
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html). A whole code precedes its class. A code that
 * is not listed is fatal: stopping with an error loses nothing, and a wrong retry or rejection might.
 */
export const sqlstates: readonly SqlstateRow[] = [
  {
    code: "08",
    kind: "transient",
    why: "Connection exception: the network or the server failed",
  },
  {
    code: "25006",
    kind: "transient",
    why: "Read-only transaction: a failover left us on a replica",
  },
  {
    code: "40",
    kind: "transient",
    why: "Rollback by deadlock or serialization: a retry may succeed",
  },
  {
    code: "53",
    kind: "transient",
    why: "No disk, memory or connections left: an operator must add some",
  },
  { code: "54", kind: "data", why: "Program limit: a row too large for its page or index" },
  {
    code: "55P03",
    kind: "transient",
    why: "Lock not available: another session has it for a while",
  },
  {
    code: "57",
    kind: "transient",
    why: "Operator intervention: shutdown, restart, statement timeout",
  },
  {
    code: "58",
    kind: "transient",
    why: "System error outside Postgres, such as I/O: an operator must fix it",
  },
  { code: "22", kind: "data", why: "Data exception: a value does not fit its column" },
  { code: "23", kind: "data", why: "Constraint violation: a row breaks a rule of the table" },
  { code: "P0001", kind: "data", why: "Raised by a trigger of the table: it refused a row" },
  {
    code: "44",
    kind: "data",
    why: "Check option violation: the table is a view that refuses a row",
  },
  { code: "28", kind: "fatal", why: "Wrong user or password: a retry may lock the account" },
  { code: "3D", kind: "fatal", why: "The database does not exist: DATABASE_URL names it" },
  { code: "3F", kind: "fatal", why: "The schema does not exist: `maskline migrate` creates it" },
  {
    code: "42",
    kind: "fatal",
    why: "A table, column or privilege is missing: `maskline check` says which",
  },
];

/** Finds the table's row for an SQLSTATE. */
export function findSqlstate(code: string): SqlstateRow | undefined {
  return sqlstates.find((row) => row.code === code) ??
    sqlstates.find((row) => row.code === code.slice(0, 2));
}

/** Returns the kind of a failure with this SQLSTATE. */
export function classifySqlstate(code: string): StoreErrorKind {
  return findSqlstate(code)?.kind ?? "fatal";
}

/** Converts a driver error into a StoreError. The message never contains a column value. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof Deno.errors.NotCapable) {
    return new StoreError(
      "fatal",
      "not_permitted",
      "This binary was not compiled for that database host; compile it with this DATABASE_URL",
    );
  }
  const { code, message, severity, where } = error as Readonly<Record<string, unknown>>;
  // Only an error of Postgres itself has a severity. Without this check EPIPE would pass for an SQLSTATE.
  if (typeof severity === "string" && typeof code === "string") {
    const text = isSafeToShow(code, where) ? `: ${String(message)}` : "";
    return new StoreError(
      classifySqlstate(code),
      code,
      `Postgres refused with SQLSTATE ${code}${text}`,
    );
  }
  if (message === "The server does not support SSL connections") {
    return new StoreError(
      "fatal",
      "no_tls",
      "Postgres offers no TLS; if the network is trusted, add sslmode=disable to DATABASE_URL",
    );
  }
  // A failure of the driver has no code, or the network's (ECONNREFUSED, ETIMEDOUT, …).
  const reason = typeof code === "string" ? code : "connection_lost";
  const kind = BAD_CERTIFICATE.has(reason) ? "fatal" : "transient";
  return new StoreError(kind, reason, `Postgres did not answer: ${reason}`);
}

/**
 * Returns whether a message of Postgres may be shown. Errors of these classes occur before any parameter is
 * read, so they name tables, columns and users. All others may quote the row. So may an error from inside a
 * function of any class, because a trigger can raise any text.
 */
function isSafeToShow(code: string, where: unknown): boolean {
  return where === undefined && /^(?:28|3D|3F|42)/.test(code);
}

/** TLS failures of a certificate: a retry does not fix them, and continuing without TLS is not an option. */
const BAD_CERTIFICATE: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
