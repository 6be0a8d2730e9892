import { StoreError, type StoreErrorKind } from "../store.ts";

/** A row of the table: a class (two characters) or a whole SQLSTATE, and what it means for a batch. */
export interface SqlstateRow {
  readonly code: string;
  readonly kind: StoreErrorKind;
  readonly why: string;
}

/**
 * What each failure obliges Maskline to do, by SQLSTATE
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html). A whole code comes before its class.
 * What stands nowhere here is fatal: stopping loudly loses nothing, guessing may.
 */
export const sqlstates: readonly SqlstateRow[] = [
  {
    code: "08",
    kind: "transient",
    why: "Connection exception: the network or the server went away",
  },
  {
    code: "25006",
    kind: "transient",
    why: "Read-only transaction: a failover left us on a replica",
  },
  {
    code: "40",
    kind: "transient",
    why: "Rollback by deadlock or serialization: the next try may win",
  },
  { code: "53", kind: "transient", why: "No disk, memory or connections left: operators add some" },
  { code: "54", kind: "data", why: "Program limit: a row too large for its page or index" },
  {
    code: "55P03",
    kind: "transient",
    why: "Lock not available: somebody else holds it for a while",
  },
  {
    code: "57",
    kind: "transient",
    why: "Operator intervention: shutdown, restart, statement time-out",
  },
  {
    code: "58",
    kind: "transient",
    why: "System error outside Postgres, such as I/O: operators mend it",
  },
  { code: "22", kind: "data", why: "Data exception: a value does not fit its column" },
  { code: "23", kind: "data", why: "Constraint violation: some row breaks a rule of the table" },
  { code: "P0001", kind: "data", why: "Raised by a trigger of the table: it refused some row" },
  {
    code: "44",
    kind: "data",
    why: "Check option violation: the table is a view that refuses some row",
  },
  { code: "28", kind: "fatal", why: "Wrong user or password: trying again may lock the account" },
  { code: "3D", kind: "fatal", why: "The database is not there" },
  { code: "3F", kind: "fatal", why: "The schema is not there: `maskline migrate` makes it" },
  { code: "42", kind: "fatal", why: "Table, column or privilege is missing: the set-up is wrong" },
];

/** The table's row for an SQLSTATE, or `undefined` where it has none. */
export function findSqlstate(code: string): SqlstateRow | undefined {
  return sqlstates.find((row) => row.code === code) ??
    sqlstates.find((row) => row.code === code.slice(0, 2));
}

/** What a failure with this SQLSTATE obliges the caller to do. */
export function classifySqlstate(code: string): StoreErrorKind {
  return findSqlstate(code)?.kind ?? "fatal";
}

/** Tells what the driver threw in the words of the seam, without a value in them. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof Deno.errors.NotCapable) {
    return new StoreError(
      "fatal",
      "not_permitted",
      "This binary was not made for that database host",
    );
  }
  const { code, message, severity, where } = error as Readonly<Record<string, unknown>>;
  // Only what Postgres itself says has a severity; EPIPE would pass for an SQLSTATE otherwise.
  if (typeof severity === "string" && typeof code === "string") {
    const text = namesOnly(code, where) ? `: ${String(message)}` : "";
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
      "Postgres offers no TLS; where the network is trusted, say sslmode=disable in DATABASE_URL",
    );
  }
  // The driver's own failures have no code or the network's (ECONNREFUSED, ETIMEDOUT, …).
  const reason = typeof code === "string" ? code : "connection_lost";
  const kind = BAD_CERTIFICATE.has(reason) ? "fatal" : "transient";
  return new StoreError(kind, reason, `Postgres did not answer: ${reason}`);
}

/**
 * Whether a text of Postgres may be shown. Those of these classes arise before any parameter is looked
 * at, so they name tables, columns and users; all others may quote the row. So may one from inside of a
 * function, whatever its class: a trigger raises what it likes.
 */
function namesOnly(code: string, where: unknown): boolean {
  return where === undefined && /^(?:28|3D|3F|42)/.test(code);
}

/** TLS failures of a certificate: no retry mends them, and going on without TLS is no choice. */
const BAD_CERTIFICATE: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
