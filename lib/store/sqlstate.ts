import type { StoreErrorKind } from "./store.ts";

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
