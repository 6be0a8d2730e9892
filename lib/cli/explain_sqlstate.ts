import { findSqlstate, type SqlstateRow, sqlstates } from "../store/postgres/sqlstate.ts";
import { type Command, exit, UsageError } from "./command.ts";

const MEANING = {
  transient: "hold what is there, stop receiving, try again with back-off",
  data: "halve the batch until the row at fault is alone, set it aside, commit the rest",
  fatal: "stop with exit status 1, release everything, delete nothing",
} as const;

/** `maskline explain-sqlstate [CODE]` */
export const explainSqlstate: Command = {
  usage: "explain-sqlstate [CODE]",
  help: `
Tells what Maskline does when Postgres answers with an SQLSTATE; without one, prints the whole table.

  maskline explain-sqlstate 53100`,
  words: [0, 1],
  run(io, { words: [code] }) {
    if (code === undefined) {
      for (const row of sqlstates) io.out(formatRow(row));
      io.out("anything else  fatal\n");
      return Promise.resolve(exit.done);
    }
    if (!/^[0-9A-Z]{5}$/.test(code)) {
      throw new UsageError(
        "CODE: wanted an SQLSTATE, five digits or capital letters such as 57P01",
      );
    }
    const row = findSqlstate(code);
    io.out(
      row ? formatRow(row) : "fatal  It stands in no table: stopping loses nothing, guessing may\n",
    );
    io.out(`${MEANING[row?.kind ?? "fatal"]}\n`);
    return Promise.resolve(exit.done);
  },
};

function formatRow({ code, kind, why }: SqlstateRow): string {
  return `${code.padEnd(5)}  ${kind.padEnd(9)}  ${why}\n`;
}
