import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { classifySqlstate, findSqlstate, sqlstates } from "../../../lib/store/postgres/sqlstate.ts";
import type { StoreErrorKind } from "../../../lib/store/store.ts";

/** Every class of Postgres 18's appendix A, with its kind. Written out, so that the test finds a slip. */
const classes: Readonly<Record<StoreErrorKind, readonly string[]>> = {
  transient: ["08", "40", "53", "57", "58"],
  data: ["22", "23", "44", "54"],
  // deno-fmt-ignore
  fatal: [
    "00", "01", "02", "03", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "24", "25",
    "26", "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F", "42", "55", "72", "F0",
    "HV", "P0", "XX",
  ],
};

for (const [kind, list] of Object.entries(classes)) {
  Deno.test(`classifySqlstate() returns ${kind} when the class is ${list.join(", ")}`, () => {
    for (const start of list) strictEqual(classifySqlstate(`${start}ZZZ`), kind, start);
  });
}

const codes: readonly [code: string, kind: StoreErrorKind, why: string][] = [
  ["25006", "transient", "the transaction is read-only, as on a replica"],
  ["25P02", "fatal", "the transaction has failed already"],
  ["55P03", "transient", "a lock is not available"],
  ["55006", "fatal", "an object is in use"],
  ["P0001", "data", "a trigger raises an exception"],
  ["P0002", "fatal", "a function finds no row"],
  ["40P01", "transient", "there was a deadlock"],
  ["40001", "transient", "transactions could not be put in order"],
  ["53100", "transient", "the disk is full"],
  ["53300", "transient", "there are too many connections"],
  ["57014", "transient", "a statement took too long"],
  ["57P01", "transient", "an administrator ends the connection"],
  ["57P03", "transient", "the server is starting"],
  ["22001", "data", "a text is too long"],
  ["22003", "data", "a number is too large"],
  ["22021", "data", "a text has U+0000"],
  ["23502", "data", "a value is missing"],
  ["23505", "data", "a value is there twice"],
  ["23514", "data", "a check fails"],
  ["42P01", "fatal", "a table is missing"],
  ["42501", "fatal", "a privilege is missing"],
  ["28P01", "fatal", "the password is wrong"],
  ["3D000", "fatal", "the database is missing"],
  ["0A000", "fatal", "the server cannot do it"],
  ["XX000", "fatal", "the server has an internal error"],
];

for (const [code, kind, why] of codes) {
  Deno.test(`classifySqlstate() returns ${kind} for ${code} when ${why}`, () => {
    strictEqual(classifySqlstate(code), kind);
  });
}

Deno.test("findSqlstate() returns the row of the whole code when its class has a row too", () => {
  strictEqual(findSqlstate("P0001")?.code, "P0001");
  strictEqual(findSqlstate("22021")?.code, "22");
});

Deno.test("findSqlstate() returns undefined when no row has the code or its class", () => {
  strictEqual(findSqlstate("XX000"), undefined);
  strictEqual(findSqlstate(""), undefined);
});

Deno.test("sqlstates has each code once, and a reason for it, when all rows are listed", () => {
  const listed = sqlstates.map(({ code }) => code);
  deepStrictEqual(listed, [...new Set(listed)]);
  for (const { code, why } of sqlstates) {
    ok(/^[0-9A-Z]{2}(?:[0-9A-Z]{3})?$/.test(code) && why, code);
  }
});
