declare const isStatement: unique symbol;

/**
 * SQL with its parameters left open: values are passed beside it, and names in it are quoted. Only `sql/` and
 * `migrations/` create one (a lint rule checks who imports {@linkcode statement}), and a {@linkcode Queryable}
 * runs nothing else. So no SQL for these databases is in another room.
 */
export interface Statement {
  /** Names a prepared statement: Postgres plans it once a connection. */
  readonly name?: string;
  readonly text: string;
  readonly [isStatement]: true;
}

/**
 * Creates a statement.
 *
 * @param name for the statements of the hot path only: each name costs memory on every connection
 */
export function statement(text: string, name?: string): Statement {
  return { text, ...(name === undefined ? {} : { name }) } as Statement;
}
