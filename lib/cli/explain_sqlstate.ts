import { findSqlstate, type SqlstateRow, sqlstates } from "../store/postgres/sqlstate.ts";
import { type Command, exit, UsageError } from "./command.ts";

const MEANING = {
  transient: "keep the messages in flight, stop receiving, retry with backoff",
  data: "halve the batch until the row at fault is alone, reject it, commit the others",
  fatal: "stop with exit status 1, release all messages, delete none",
} as const;

/** `maskline explain-sqlstate [CODE]` */
export const explainSqlstate: Command = {
  usage: "explain-sqlstate [CODE]",
  help: `
Prints what Maskline does when Postgres returns an SQLSTATE; without CODE, prints the whole table.

  maskline explain-sqlstate 53100`,
  words: [0, 1],
  run(io, { words: [code] }) {
    if (code === undefined) {
      for (const row of sqlstates) io.out(formatRow(row));
      io.out("any other code  fatal\n");
      return Promise.resolve(exit.done);
    }
    if (!/^[0-9A-Z]{5}$/.test(code)) {
      throw new UsageError(
        "CODE: expected an SQLSTATE, five digits or capital letters such as 57P01",
      );
    }
    const row = findSqlstate(code);
    io.out(
      row ? formatRow(row) : "fatal  It is not listed: stopping loses nothing, and a retry might\n",
    );
    io.out(`${MEANING[row?.kind ?? "fatal"]}\n`);
    return Promise.resolve(exit.done);
  },
};

function formatRow({ code, kind, why }: SqlstateRow): string {
  return `${code.padEnd(5)}  ${kind.padEnd(9)}  ${why}\n`;
}
